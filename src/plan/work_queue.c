#include "plan/work_queue.h"

#define LEAST_CHUNKS 8
#define MOST_CHUNKS  1024

void work_queue_init(struct work_queue *cursor, uint64_t chunks, unsigned lanes,
                     uint64_t step)
{
    atomic_init(&cursor->next, 0);
    cursor->end = chunks;
    cursor->step = step;
    cursor->most = MOST_CHUNKS;
    cursor->lanes = lanes;
}

static uint64_t share(const struct work_queue *cursor, uint64_t left)
{
    uint64_t count = left / (UINT64_C(8) * cursor->lanes);

    if (count < LEAST_CHUNKS)
        count = LEAST_CHUNKS;
    if (count > cursor->most)
        count = cursor->most;
    /* Every range begins at a multiple, so its length is one too. */
    count += cursor->step - 1;
    count -= count % cursor->step;
    return count < left ? count : left;
}

bool work_queue_take(struct work_queue *cursor, struct work_queue_range *range)
{
    uint64_t first = atomic_load(&cursor->next);

    do {
        if (first >= cursor->end)
            return false;
        range->first = first;
        range->count = share(cursor, cursor->end - first);
    } while (!atomic_compare_exchange_weak(&cursor->next, &first,
                                           first + range->count));
    return true;
}
