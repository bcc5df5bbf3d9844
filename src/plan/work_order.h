/*
 * work_order.h - an order of the chunks of a disk other than ascending: two
 * classes of them advance together.  Pure.
 *
 * A source that resumes sends the chunks that the target does not have while
 * both ends still compare the others: the network and the disks then work at
 * the same time.  Each class by itself stays in disk order.
 */
#ifndef CW_PLAN_WORK_ORDER_H
#define CW_PLAN_WORK_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "plan/chunk_bitmap.h"

/* Chunks in a row, and their place in the order. */
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
 * Makes *order, zeroed, of all chunks of the disk: those in set and those not
 * in it, each class in proportion to its size.  ERROR_SYSTEM.
 */
int work_order_mix(struct work_order *order, const struct chunk_bitmap *set,
                   struct error *err);

/* The run that holds place, which is below the number of chunks. */
const struct work_order_run *work_order_find(const struct work_order *order,
                                             uint64_t place);

/* Tolerates a zeroed one. */
void work_order_fini(struct work_order *order);

#endif
