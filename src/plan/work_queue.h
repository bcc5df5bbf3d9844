/*
 * work_queue.h - the shared work list: which lane takes which chunks.  Pure but
 * for one atomic; any lane may take at any time.
 *
 * Ranges are large at the beginning (long sequential runs, few map calls)
 * and small at the end (no lane waits long for the last one): each take gets
 * an eighth of its fair share of what is left, between 8 chunks and 1024.
 */
#ifndef CW_PLAN_WORK_QUEUE_H
#define CW_PLAN_WORK_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "plan/work_order.h"

struct work_queue {
    _Atomic uint64_t next; /* first chunk nobody has taken */
    uint64_t end;          /* chunks in the disk */
    uint64_t step;         /* a range ends at a multiple of it */
    uint64_t max; /* chunks of a range; may be lowered before it is used */
    unsigned lanes;
    const struct work_order *order; /* borrowed; NULL: ascending */
};

struct work_queue_range {
    uint64_t first; /* chunk index */
    uint64_t count; /* > 0 */
};

/*
 * lanes > 0.  step: chunks that are better not divided between lanes (the
 * blocks of an xz file, which each lane decodes from their beginning), or 1.
 */
void work_queue_init(struct work_queue *queue, uint64_t chunks, unsigned lanes,
                     uint64_t step);

/* False when nothing is left. */
bool work_queue_take(struct work_queue *queue, struct work_queue_range *range);

#endif
