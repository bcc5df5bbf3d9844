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
    queue->order = NULL;
}

static uint64_t share(const struct work_queue *queue, uint64_t left)
{
    uint64_t count = left / (UINT64_C(8) * queue->lanes);

    if (count < MIN_CHUNKS)
        count = MIN_CHUNKS;
    if (count > queue->max)
        count = queue->max;
    /* Every range begins at a multiple of step, so its length is one too. */
    count += queue->step - 1;
    count -= count % queue->step;
    return count < left ? count : left;
}

/* The adjacent chunks from place on. */
static void follow(const struct work_order *order, uint64_t place,
                   struct work_queue_range *range)
{
    const struct work_order_run *run = work_order_find(order, place);
    uint64_t left = run->place + run->count - place;

    range->first = run->first + (place - run->place);
    if (range->count > left)
        range->count = left;
}

bool work_queue_take(struct work_queue *queue, struct work_queue_range *range)
{
    uint64_t place = atomic_load(&queue->next);

    do {
        if (place >= queue->end)
            return false;
        range->first = place;
        range->count = share(queue, queue->end - place);
        if (queue->order)
            follow(queue->order, place, range);
    } while (!atomic_compare_exchange_weak(&queue->next, &place,
                                           place + range->count));
    return true;
}
