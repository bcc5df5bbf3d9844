#include "plan/extent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

static int grow(struct extent_list *list, struct error *err)
{
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    struct extent *items;

    items = reallocarray(list->items, capacity, sizeof(*items));
    if (!items)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "keep %zu extents",
                         capacity);
    list->items = items;
    list->capacity = capacity;
    return 0;
}

int extent_list_add(struct extent_list *list, uint64_t offset, uint64_t length,
                    enum extent_kind kind, struct error *err)
{
    struct extent *last = list->count ? &list->items[list->count - 1] : NULL;

    if (length == 0)
        return 0;
    assert(!last || last->offset + last->length == offset);
    if (last && last->kind == kind) {
        last->length += length;
        return 0;
    }
    if (list->count == list->capacity && grow(list, err) < 0)
        return -1;
    list->items[list->count++] = (struct extent){ offset, length, kind };
    return 0;
}

void extent_list_clear(struct extent_list *list)
{
    list->count = 0;
}

void extent_list_fini(struct extent_list *list)
{
    free(list->items);
    *list = (struct extent_list){ 0 };
}

uint64_t extent_list_bytes(const struct extent_list *list,
                           enum extent_kind kind)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == kind)
            sum += list->items[i].length;
    return sum;
}
