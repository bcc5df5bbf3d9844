#include "image/qcow2/pending.h"

#include <stdlib.h>

#include "image/qcow2/grow.h"

void qcow2_pending_fini(struct qcow2_pending *wants)
{
    free(wants->items);
    *wants = (struct qcow2_pending){ 0 };
}

bool qcow2_pending_add(struct qcow2_pending *wants,
                       const struct qcow2_want *want)
{
    struct qcow2_want *items = NULL;
    size_t at;

    if (wants->count < QCOW2_PENDING_MAX)
        items = grow(wants->items, wants->count, &wants->capacity,
                     sizeof(*items));
    if (!items)
        return false;
    wants->items = items;
    for (at = wants->count++; at > 0; at = (at - 1) / 2) {
        size_t parent = (at - 1) / 2;

        if (wants->items[parent].host <= want->host)
            break;
        wants->items[at] = wants->items[parent];
    }
    wants->items[at] = *want;
    return true;
}

bool qcow2_pending_take(struct qcow2_pending *wants, struct qcow2_want *want)
{
    struct qcow2_want last;
    size_t at = 0, child;

    if (wants->count == 0)
        return false;
    *want = wants->items[0];
    last = wants->items[--wants->count];
    while ((child = 2 * at + 1) < wants->count) {
        if (child + 1 < wants->count &&
            wants->items[child + 1].host < wants->items[child].host)
            child++;
        if (last.host <= wants->items[child].host)
            break;
        wants->items[at] = wants->items[child];
        at = child;
    }
    wants->items[at] = last;
    return true;
}
