/*
 * work_queue.h - the shared work list: which lane takes which chunks.  Pure
 * except for one atomic; any lane may take a range at any time.
 *
 * Ranges are large at the beginning (long sequential runs, few map calls) and
 * small at the end (no lane waits long for the last one): each take returns an
 * eighth of its fair share of the rest, between 8 chunks and 1024.
 */
#ifndef CW_PLAN_WORK_QUEUE_H
#define CW_PLAN_WORK_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "plan/work_order.h"

struct work_queue {
    _Atomic uint64_t next; /* first chunk not yet taken */
    uint64_t end;          /* number of chunks of the disk */
    uint64_t step;         /* a range ends at a multiple of it */
    uint64_t max; /* chunks per range; may be lowered before first use */
    unsigned lanes;
    const struct work_order *order; /* borrowed; NULL: ascending */
};

struct work_queue_range {
    uint64_t first; /* chunk index */
    uint64_t count; /* > 0 */
};

/*
 * lanes > 0.  step: chunks that should not be divided between lanes (the
 * blocks of an xz file, which each lane decodes from their beginning), or 1.
 */
void work_queue_init(struct work_queue *queue, uint64_t chunks, unsigned lanes,
                     uint64_t step);

/* Returns false if nothing is left. */
bool work_queue_take(struct work_queue *queue, struct work_queue_range *range);

#endif
