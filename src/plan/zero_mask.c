#include "plan/zero_mask.h"

#include <string.h>

#include "plan/chunk_grid.h"

unsigned zero_mask_out(uint8_t *buf, size_t len, size_t begin, size_t end)
{
    size_t first = (begin + LEAF_BYTES - 1) / LEAF_BYTES;
    /* The last leaf of a short chunk counts as a whole one. */
    size_t last = (end == len ? len + LEAF_BYTES - 1 : end) / LEAF_BYTES;
    size_t tail = last * LEAF_BYTES;

    if (first >= last) {
        memset(buf + begin, 0, end - begin);
        return 0;
    }
    memset(buf + begin, 0, first * LEAF_BYTES - begin);
    if (tail < end)
        memset(buf + tail, 0, end - tail);
    return (1U << last) - (1U << first);
}

bool zero_mask_at(unsigned blank, size_t at)
{
    return (blank & (1U << at / LEAF_BYTES)) != 0;
}
