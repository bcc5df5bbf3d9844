#include "target/inbound.h"

void inbound_start(struct inbound *b, uint64_t chunk, uint64_t virtual_bytes)
{
    b->chunk = chunk;
    b->len = (size_t)chunk_grid_length(virtual_bytes, chunk);
    b->data_bytes = b->filled = 0;
    b->has_zeroed = b->has_leaves = false;
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
