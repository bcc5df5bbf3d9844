/*
 * target_scan.h - a target that has an older copy looks at what it holds
 * beside the copying: reads the disk in order, digests it, and tells the
 * source, which sends nothing of a chunk before that.
 *
 *   scan (task):     read -> digest, leaves kept -> found
 *   main thread:     found -> announced to the source
 *   lanes:           announced -> may come: SAME, or new content
 */
#ifndef CW_TARGET_TARGET_SCAN_H
#define CW_TARGET_TARGET_SCAN_H

#include "target/target.h"

/* Another session of the disk: what was only looked at is looked at again, as
 * a delta finer than a chunk needs more than its digest. */
void target_scan_again(struct target *t);

/* Before GO: tells the source of which chunks nothing can be found, if that
 * is known.  -1: the job failed. */
int target_scan_tell_missing(struct target *t);

/* Begins a session's scan: chunks on disk are announced, the rest is read.
 * -1: the job failed. */
int target_scan_start(struct target *t);

/* Main thread, often: tells what was found.  -1: the job failed. */
int target_scan_tick(struct target *t);

/* Waits for its end, which the job's stop hastens.  Tolerates one that was
 * not started.  -1: the job failed, perhaps long ago. */
int target_scan_end(struct target *t);

#endif
