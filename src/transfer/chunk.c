#include "transfer/chunk.h"

#include <string.h>

#include "base/iszero.h"
#include "plan/zero_mask.h"

static size_t block_length(size_t len, size_t at)
{
    return len - at < BLOCK_BYTES ? len - at : BLOCK_BYTES;
}

void chunk_clear(struct chunk *chunk)
{
    for (size_t at = 0; at < chunk->len; at += BLOCK_BYTES)
        if (zero_mask_at(chunk->blank, at))
            memset(chunk->buf + at, 0, block_length(chunk->len, at));
    chunk->blank = 0;
}

bool chunk_find_zero(struct chunk *chunk)
{
    size_t count = block_set_count(chunk->len);

    chunk->zero = (struct block_set){ 0 };
    for (size_t i = 0; i < count; i++) {
        size_t at = i * BLOCK_BYTES;

        if (zero_mask_at(chunk->blank, at) ||
            iszero(chunk->buf + at, block_length(chunk->len, at)))
            block_set_add(&chunk->zero, i, i + 1);
    }
    for (size_t i = 0; i < count; i += LEAF_BLOCKS) {
        size_t end = i + LEAF_BLOCKS < count ? i + LEAF_BLOCKS : count;

        if (block_set_has_all(&chunk->zero, i, end))
            chunk->blank |= 1U << i / LEAF_BLOCKS;
    }
    return block_set_has_all(&chunk->zero, 0, count);
}
