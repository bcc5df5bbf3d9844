#include "wire/frame.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "wire/crc32c.h"

/* The chunk grid of version 1; must match plan/chunk_grid.h. */
#define CHUNK_BYTES (UINT64_C(1) << 20)
#define BLOCK_BYTES UINT64_C(4096)

static uint32_t header_check(const uint8_t *in)
{
    return crc32c(crc32c(0, in, 4), in + 8, FRAME_HEADER_BYTES - 8);
}

/* True if a frame may begin or end at offset. */
static bool on_boundary(uint64_t offset, uint64_t step, uint64_t disk_bytes)
{
    return offset % step == 0 || offset == disk_bytes;
}

/* A payload that saves no bytes is not worth the risk of decompression. */
static bool packing_is_valid(const struct frame *f)
{
    return f->type != FRAME_ZSTD ||
           (f->packed_bytes > 0 && f->packed_bytes < f->length);
}

static bool is_one_chunk(const struct frame *f, uint64_t end,
                         uint64_t disk_bytes)
{
    return f->offset % CHUNK_BYTES == 0 && f->length <= CHUNK_BYTES &&
           on_boundary(end, CHUNK_BYTES, disk_bytes);
}

static bool range_is_valid(const struct frame *f, uint64_t disk_bytes)
{
    uint64_t end;

    if (f->type == FRAME_END)
        return f->offset == 0 && f->length == 0;
    if (f->length == 0 || f->offset > disk_bytes ||
        f->length > disk_bytes - f->offset)
        return false;

    end = f->offset + f->length;
    if (f->type == FRAME_PATCH)
        return is_one_chunk(f, end, disk_bytes);
    if (f->offset / CHUNK_BYTES == (end - 1) / CHUNK_BYTES)
        return f->offset % BLOCK_BYTES == 0 &&
               on_boundary(end, BLOCK_BYTES, disk_bytes);
    return (f->type == FRAME_ZERO || f->type == FRAME_SAME) &&
           f->offset % CHUNK_BYTES == 0 &&
           on_boundary(end, CHUNK_BYTES, disk_bytes);
}

void frame_encode(uint8_t out[FRAME_HEADER_BYTES], const struct frame *frame)
{
    put_be16(out, FRAME_MAGIC);
    out[2] = (uint8_t)frame->type;
    out[3] = 0;
    put_be64(out + 8, frame->offset);
    put_be64(out + 16, frame->length | (uint64_t)frame->packed_bytes << 32);
    put_be32(out + 4, header_check(out));
}

enum frame_result frame_decode(const uint8_t *in, size_t len,
                               uint64_t virtual_bytes, struct frame *frame)
{
    struct frame f;

    if (len < FRAME_HEADER_BYTES)
        return FRAME_SHORT;
    if (get_be16(in) != FRAME_MAGIC)
        return FRAME_BAD_MAGIC;
    if (get_be32(in + 4) != header_check(in))
        return FRAME_BAD_CHECK;
    if (in[2] < FRAME_DATA || in[2] > FRAME_PATCH || in[3] != 0)
        return FRAME_BAD_TYPE;

    f = (struct frame){
        .type = (enum frame_type)in[2],
        .offset = get_be64(in + 8),
        .length = get_be64(in + 16),
    };
    if (f.type == FRAME_ZSTD) {
        f.packed_bytes = get_be32(in + 16);
        f.length = get_be32(in + 20);
    }
    if (!range_is_valid(&f, virtual_bytes) || !packing_is_valid(&f))
        return FRAME_BAD_RANGE;
    *frame = f;
    return FRAME_OK;
}

const char *frame_result_text(enum frame_result result)
{
    switch (result) {
    case FRAME_OK: return "no fault";
    case FRAME_SHORT: return "header cut short";
    case FRAME_BAD_MAGIC: return "not a frame";
    case FRAME_BAD_CHECK: return "damaged header";
    case FRAME_BAD_TYPE: return "unknown frame type or flag";
    case FRAME_BAD_RANGE: return "range outside the disk or off the grid";
    }
    return "unknown fault";
}
