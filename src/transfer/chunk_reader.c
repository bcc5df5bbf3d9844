#include "transfer/chunk_reader.h"

#include <string.h>

#include "base/iszero.h"
#include "plan/zero_mask.h"

/* ---- which chunk, and what is mapped of it ---- */

/* 1: c->range is not empty; 0: the cursor is empty; -1: no map. */
static int take_range(struct chunk_reader *c, struct error *err)
{
    uint64_t offset, length;

    if (c->range.count > 0)
        return 1;
    if (image_has_order(c->image)) {
        int r = image_next(c->image, &c->range.first, err);

        if (r <= 0)
            return r;
        c->range.count = 1;
    } else if (!work_queue_take(c->work, &c->range)) {
        return 0;
    }
    offset = c->range.first * CHUNK_BYTES;
    length = c->range.count * CHUNK_BYTES;
    if (length > c->virtual_bytes - offset)
        length = c->virtual_bytes - offset;
    c->extent = 0;
    extent_list_clear(&c->extents);
    if (image_map(c->image, offset, length, &c->extents, err) < 0)
        return error_wrap(err, "map %s", c->image->path);
    return 1;
}

/* Adds [begin, end) of the disk to the reads of chunk. */
static void add_read(struct chunk *chunk, uint64_t begin, uint64_t end)
{
    struct io *last = chunk->read_count ? &chunk->reads[chunk->read_count - 1]
                                        : NULL;
    uint64_t base = chunk->index * CHUNK_BYTES;

    chunk->mapped_bytes += end - begin;
    if (last && begin - (last->offset + last->len) < CHUNK_GAP_BYTES) {
        last->len = (size_t)(end - last->offset);
        return;
    }
    chunk->reads[chunk->read_count++] = (struct io){
        .op = IO_READ,
        .buf = chunk->buf + (begin - base),
        .len = (size_t)(end - begin),
        .offset = begin,
        .owner = chunk,
    };
}

/* Collects the data of the chunk out of the extents of the range. */
static void plan_reads(struct chunk_reader *c, struct chunk *chunk)
{
    uint64_t begin = chunk->index * CHUNK_BYTES;
    uint64_t end = begin + chunk->len;

    chunk->mapped_bytes = 0;
    chunk->read_count = 0;
    for (; c->extent < c->extents.count; c->extent++) {
        const struct extent *e = &c->extents.items[c->extent];
        uint64_t e_end = e->offset + e->length;

        if (e->offset >= end)
            return;
        if (e->kind == EXTENT_DATA && e_end > begin)
            add_read(chunk, e->offset > begin ? e->offset : begin,
                     e_end < end ? e_end : end);
        if (e_end > end)
            return;
    }
}

uint64_t chunk_reader_step(const struct image *image)
{
    if (image->block_bytes == 0 || image->block_bytes % CHUNK_BYTES != 0)
        return 1; /* a block of partial chunks is divided anyway */
    return image->block_bytes / CHUNK_BYTES;
}

int chunk_reader_next(struct chunk_reader *chunks, struct chunk *chunk,
                      uint8_t *buf, struct error *err)
{
    int r = take_range(chunks, err);

    if (r <= 0)
        return r;
    chunk->index = chunks->range.first++;
    chunks->range.count--;
    chunk->len = (size_t)chunk_grid_length(chunks->virtual_bytes, chunk->index);
    chunk->buf = buf;
    plan_reads(chunks, chunk);
    /* A disk without a map was counted as data throughout. */
    if (image_has_order(chunks->image))
        chunk->mapped_bytes = chunk->len;
    return 1;
}

void chunk_reader_fini(struct chunk_reader *chunks)
{
    extent_list_fini(&chunks->extents);
}

/* ---- its bytes ---- */

static size_t block_length(size_t len, size_t at)
{
    return len - at < BLOCK_BYTES ? len - at : BLOCK_BYTES;
}

/* Marks as blank, or clears, the parts of the chunk that no read covers. */
static void blank_gaps(struct chunk *chunk)
{
    size_t at = 0;

    chunk->blank = 0;
    for (unsigned i = 0; i < chunk->read_count; i++) {
        size_t begin = (size_t)(chunk->reads[i].buf - chunk->buf);

        chunk->blank |= zero_mask_out(chunk->buf, chunk->len, at, begin);
        at = begin + chunk->reads[i].len;
    }
    chunk->blank |= zero_mask_out(chunk->buf, chunk->len, at, chunk->len);
}

void chunk_start(struct chunk *chunk, struct image *image)
{
    blank_gaps(chunk);
    chunk->pending = chunk->read_count;
    for (unsigned i = 0; i < chunk->read_count; i++)
        image_read(image, &chunk->reads[i]);
}

void chunk_clear(struct chunk *chunk)
{
    for (size_t at = 0; at < chunk->len; at += BLOCK_BYTES)
        if (zero_mask_at(chunk->blank, at))
            memset(chunk->buf + at, 0, block_length(chunk->len, at));
    chunk->blank = 0;
}

static bool block_is_zero(const uint8_t *buf, size_t len, unsigned blank,
                          size_t at)
{
    return zero_mask_at(blank, at) || iszero(buf + at, block_length(len, at));
}

size_t chunk_run_end(const uint8_t *buf, size_t len, unsigned blank, size_t at,
                     bool *is_zero)
{
    *is_zero = block_is_zero(buf, len, blank, at);
    do
        at += BLOCK_BYTES;
    while (at < len && block_is_zero(buf, len, blank, at) == *is_zero);
    return at < len ? at : len;
}

uint64_t chunk_oldest_offset(const struct chunk *chunks, unsigned count)
{
    uint64_t oldest = UINT64_MAX / CHUNK_BYTES;

    for (unsigned i = 0; i < count; i++)
        if (chunks[i].buf && chunks[i].index < oldest)
            oldest = chunks[i].index;
    return oldest * CHUNK_BYTES;
}
