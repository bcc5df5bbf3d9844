/*
 * target_recognize.h - does a device hold what this job has written there?
 *
 * A device has no place for a record of ours, and the record in --state-dir
 * may be lost or belong to a volume that was made again.  So before anything
 * is written the target reads samples and asks the source what it has there:
 *
 *   task:        partition starts, both ends, random chunks -> read
 *   main thread: SAMPLE -> HAVE, LEAVES: the source's sums of the same chunks
 *   verdict:     each 4 KiB block is zero, the source's, or what the record
 *                claims; or else it is foreign data
 */
#ifndef CW_TARGET_TARGET_RECOGNIZE_H
#define CW_TARGET_TARGET_RECOGNIZE_H

#include "target/target.h"

enum target_recognized {
    TARGET_RECOGNIZED_BLANK, /* no sample holds data, and no signature */
    TARGET_RECOGNIZED_OURS,  /* all that is looked at is this job's */
    TARGET_RECOGNIZED_PART,  /* enough is the source's to compare the rest */
    TARGET_RECOGNIZED_OTHER, /* foreign data */
};

/* Task: chooses and reads samples.  arg: the target.  Errors as of
 * disk_scan_run(). */
int target_recognize_read(void *arg, struct error *err);

/* Main thread: asks the source about them, if it answers.  0, or -1: the job
 * failed. */
int target_recognize_ask(struct target *t);

/* Is an answer still to come? */
bool target_recognize_waits(const struct target *t);

/* Takes a HAVE or LEAVES that answers.  -1: the job failed, as it does not. */
int target_recognize_hear(struct target *t, const struct message *message);

/* What do the samples say? */
enum target_recognized target_recognize_judge(const struct target *t);

/* Tolerates one that was never begun. */
void target_recognize_end(struct target *t);

#endif
