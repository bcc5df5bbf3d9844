/*
 * target_finished.h - a disk that an earlier process of this target finished,
 * before it was killed.
 *
 * The source may know, or still call; so the target listens for as long as a
 * source would try, and then ends with success by itself.  Meanwhile it reads
 * the disk and compares it with the digest that was proven: a record alone is
 * no proof.
 */
#ifndef CW_TARGET_TARGET_FINISHED_H
#define CW_TARGET_TARGET_FINISHED_H

#include "target/target.h"

/*
 * The sink is open: takes over the disk of head.  Where that is so long ago
 * that a target which may replace it is rather meant for a new clone, drops
 * it.  ERROR_REFUSED: the disk is of another size by now.
 */
int target_finished_open(struct target *t, const struct checkpoint_head *head,
                         struct error *err);

/*
 * The main thread is about to wait for a source: reads the disk beside it, if
 * that is still to do, and sets how long to wait, if that is not set.
 */
int target_finished_wait(struct target *t, struct error *err);

/* The wait is over: the reading stops, where it has not ended. */
void target_finished_interrupt(struct target *t);

/* Is the whole disk read, with no source connected? */
bool target_finished_is_read(const struct target *t);

/* No source came, and all is read.  0: it is the disk that was finished. */
int target_finished_end(struct target *t, struct error *err);

/* In the task that prepares a session: reads all of the disk, if that is still
 * to do.  ERROR_REFUSED, ERROR_TEMPORARY: it is not the disk that was
 * finished, and may, or may not, be replaced. */
int target_finished_confirm(struct target *t, struct error *err);

/*
 * Drops what is to be replaced: by the same job, which found that it differs,
 * or by what visitor (NULL: none) brings, if the options allow that.
 */
int target_finished_make_way(struct target *t, const struct visitor *visitor,
                             struct error *err);

#endif
