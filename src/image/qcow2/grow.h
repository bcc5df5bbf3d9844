/* grow.h - makes room in a growing array. */
#ifndef CW_IMAGE_QCOW2_GROW_H
#define CW_IMAGE_QCOW2_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Returns items with room for one more than count of item_len bytes, doubling
 * *capacity.  NULL: out of memory, and items is unchanged. */
static inline void *grow(void *items, size_t count, size_t *capacity,
                         size_t item_len)
{
    size_t more = *capacity > 0 ? *capacity * 2 : 64;

    if (count < *capacity)
        return items;
    items = reallocarray(items, more, item_len);
    if (items)
        *capacity = more;
    return items;
}

#endif
