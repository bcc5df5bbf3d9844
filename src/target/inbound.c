#include "target/inbound.h"

#include <string.h>

void inbound_start(struct inbound *b, uint64_t chunk, uint64_t virtual_bytes)
{
    b->chunk = chunk;
    b->len = (size_t)chunk_grid_length(virtual_bytes, chunk);
    b->data_bytes = b->filled = 0;
    b->has_zeroed = b->has_leaves = b->is_part = false;
    chunk_merge_start(&b->merge);
    b->blank = b->run_count = b->pending = 0;
}

void inbound_add_run(struct inbound *b, size_t len)
{
    struct io *last = b->run_count ? &b->runs[b->run_count - 1] : NULL;
    uint8_t *at = b->buf + b->filled;

    if (last && last->buf + last->len == at) {
        last->len += len;
        return;
    }
    b->runs[b->run_count++] = (struct io){
        .op = IO_WRITE,
        .buf = at,
        .len = len,
        .offset = b->chunk * CHUNK_BYTES + b->filled,
        .owner = b,
    };
}

bool inbound_cut(struct inbound *b)
{
    size_t len = b->filled / LEAF_BYTES * LEAF_BYTES;
    const uint8_t *end = b->buf + len;

    b->filled = len;
    b->is_part = true;
    if (b->data_bytes > len)
        b->data_bytes = len;
    while (b->run_count > 0 && b->runs[b->run_count - 1].buf >= end)
        b->run_count--;
    if (b->run_count > 0) {
        struct io *last = &b->runs[b->run_count - 1];

        if (last->buf + last->len > end)
            last->len = (size_t)(end - last->buf);
    }
    return len > 0;
}

void inbound_keep_part(struct inbound *b, size_t digest_bytes,
                       struct leaf_cache *leaves)
{
    size_t held = b->filled / LEAF_BYTES * digest_bytes;

    memset(b->leaves + held, MESSAGE_LEAF_MISSING,
           MESSAGE_CHUNK_LEAVES * digest_bytes - held);
    (void)leaf_cache_put(leaves, b->chunk, b->leaves, NULL); /* full: resent */
}

uint64_t inbound_oldest(const struct inbound *blocks, unsigned count)
{
    uint64_t oldest = INBOUND_NONE;

    for (unsigned i = 0; i < count; i++)
        if (blocks[i].buf && blocks[i].pending > 0 && blocks[i].chunk < oldest)
            oldest = blocks[i].chunk;
    return oldest == INBOUND_NONE ? oldest : oldest * CHUNK_BYTES;
}
