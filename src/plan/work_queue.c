#include "plan/work_queue.h"

#define MIN_CHUNKS 8
#define MAX_CHUNKS 1024

void work_queue_init(struct work_queue *queue, uint64_t chunks, unsigned lanes,
                     uint64_t step)
{
    atomic_init(&queue->next, 0);
    queue->end = chunks;
    queue->step = step;
    queue->max = MAX_CHUNKS;
    queue->lanes = lanes;
}

static uint64_t share(const struct work_queue *queue, uint64_t left)
{
    uint64_t count = left / (UINT64_C(8) * queue->lanes);

    if (count < MIN_CHUNKS)
        count = MIN_CHUNKS;
    if (count > queue->max)
        count = queue->max;
    /* Every range begins at a multiple, so its length is one too. */
    count += queue->step - 1;
    count -= count % queue->step;
    return count < left ? count : left;
}

bool work_queue_take(struct work_queue *queue, struct work_queue_range *range)
{
    uint64_t first = atomic_load(&queue->next);

    do {
        if (first >= queue->end)
            return false;
        range->first = first;
        range->count = share(queue, queue->end - first);
    } while (!atomic_compare_exchange_weak(&queue->next, &first,
                                           first + range->count));
    return true;
}
