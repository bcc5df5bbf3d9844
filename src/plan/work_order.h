/*
 * work_order.h - an order of the chunks of a disk other than ascending: two
 * classes of chunks advance together.  Pure.
 *
 * A source that resumes sends the chunks that the target does not have while
 * both ends still compare the others: the network and the disks then work at
 * the same time.  Within a class, chunks stay in disk order.
 */
#ifndef CW_PLAN_WORK_ORDER_H
#define CW_PLAN_WORK_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "plan/chunk_bitmap.h"

/* Consecutive chunks, and their place in the order. */
struct work_order_run {
    uint64_t place;
    uint64_t first; /* chunk */
    uint64_t count;
};

struct work_order {
    struct work_order_run *runs; /* owned; by place, adjacent */
    size_t count;
    size_t capacity;
};

/*
 * Fills the zeroed *order with all chunks of the disk: those in set and those
 * not in it, interleaved in proportion to their number.  ERROR_SYSTEM.
 */
int work_order_mix(struct work_order *order, const struct chunk_bitmap *set,
                   struct error *err);

/* Appends count adjacent chunks to the order.  ERROR_SYSTEM. */
int work_order_add(struct work_order *order, uint64_t first, uint64_t count,
                   struct error *err);

/* Returns the run that contains place, which is less than the number of
 * chunks. */
const struct work_order_run *work_order_find(const struct work_order *order,
                                             uint64_t place);

/* Accepts a zeroed order. */
void work_order_fini(struct work_order *order);

#endif
