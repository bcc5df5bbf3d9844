#include "plan/work_order.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Chunks per run: few, so that the classes advance together; more than one, so
 * that reads of adjacent chunks stay together. */
#define RUN_CHUNKS UINT64_C(4)

/* One of the two classes and its progress. */
struct class
{
    const struct chunk_bitmap *set;
    bool is_in; /* chunks in set, or the others */
    uint64_t total;
    uint64_t done;
    uint64_t next; /* no chunk of the class is left below it */
};

static bool has(const struct class *class, uint64_t chunk)
{
    return chunk_bitmap_has(class->set, chunk) == class->is_in;
}

int work_order_add(struct work_order *order, uint64_t first, uint64_t count,
                   struct error *err)
{
    uint64_t place = 0;

    if (order->count > 0)
        place = order->runs[order->count - 1].place +
                order->runs[order->count - 1].count;
    if (order->count == order->capacity) {
        size_t capacity = order->capacity ? order->capacity * 2 : 64;
        struct work_order_run *runs = reallocarray(order->runs, capacity,
                                                   sizeof(*runs));

        if (!runs)
            return error_set(err, ERROR_SYSTEM, ENOMEM, "order chunks");
        order->runs = runs;
        order->capacity = capacity;
    }
    order->runs[order->count++] = (struct work_order_run){ place, first,
                                                           count };
    return 0;
}

/* Appends the next few adjacent chunks of the class. */
static int advance(struct work_order *order, struct class *class,
                   struct error *err)
{
    uint64_t first = class->next, count = 0;

    while (!has(class, first))
        first++;
    while (count < RUN_CHUNKS && first + count < class->set->chunks &&
           has(class, first + count))
        count++;
    class->next = first + count;
    class->done += count;
    return work_order_add(order, first, count, err);
}

/* Has a completed a smaller share than b?  Shares are of less than 2^44 chunks
 * (2^63 bytes), so a product takes 88 bits. */
static bool is_behind(const struct class *a, const struct class *b)
{
    __extension__ typedef unsigned __int128 wide;

    return (wide)a->done * b->total <= (wide)b->done * a->total;
}

int work_order_mix(struct work_order *order, const struct chunk_bitmap *set,
                   struct error *err)
{
    uint64_t in = chunk_bitmap_count(set);
    struct class classes[] = {
        { .set = set, .is_in = true, .total = in },
        { .set = set, .is_in = false, .total = set->chunks - in },
    };
    struct class *a = &classes[0], *b = &classes[1];

    while (a->done < a->total || b->done < b->total) {
        bool takes_a = b->done == b->total ||
                       (a->done < a->total && is_behind(a, b));

        if (advance(order, takes_a ? a : b, err) < 0)
            return -1;
    }
    return 0;
}

const struct work_order_run *work_order_find(const struct work_order *order,
                                             uint64_t place)
{
    size_t low = 0, high = order->count;

    assert(high > 0);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (order->runs[middle].place <= place)
            low = middle;
        else
            high = middle;
    }
    return &order->runs[low];
}

void work_order_fini(struct work_order *order)
{
    free(order->runs);
    memset(order, 0, sizeof(*order));
}
