/* Frame headers of a hostile source: refused, or safe to use and exact. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "plan/chunk_grid.h"
#include "wire/frame.h"

#define DISK_BYTES (UINT64_C(10) * CHUNK_BYTES + 777)

/* A random header almost never has the right check: mend it, so that what
 * lies behind is reached. */
static enum frame_result decode_mended(const uint8_t *data, struct frame *frame)
{
    uint8_t bytes[FRAME_HEADER_BYTES], good[FRAME_HEADER_BYTES];
    struct frame f = { .type = (enum frame_type)data[2] };

    memcpy(bytes, data, sizeof(bytes));
    for (unsigned i = 0; i < 8; i++) {
        f.offset = f.offset << 8 | bytes[8 + i];
        f.length = f.length << 8 | bytes[16 + i];
    }
    frame_encode(good, &f);
    return frame_decode(good, sizeof(good), DISK_BYTES, frame);
}

static void check_range(const struct frame *f)
{
    if (f->type == FRAME_END) {
        assert(f->offset == 0 && f->length == 0);
        return;
    }
    assert(f->length > 0 && f->offset <= DISK_BYTES &&
           f->length <= DISK_BYTES - f->offset);
    assert(f->offset % BLOCK_BYTES == 0);
    if (f->type == FRAME_PATCH)
        assert(f->offset % CHUNK_BYTES == 0 &&
               f->length ==
                   chunk_grid_length(DISK_BYTES, f->offset / CHUNK_BYTES));
    assert(f->packed_bytes == 0 || f->type == FRAME_ZSTD);
    if (f->type == FRAME_ZSTD)
        assert(f->packed_bytes > 0 && f->packed_bytes < f->length);
    if (f->type == FRAME_DATA || f->type == FRAME_ZSTD)
        assert(f->offset % CHUNK_BYTES + f->length <= CHUNK_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t again[FRAME_HEADER_BYTES];
    struct frame f = { .type = FRAME_END };
    enum frame_result r = frame_decode(data, len, DISK_BYTES, &f);

    assert((r == FRAME_SHORT) == (len < FRAME_HEADER_BYTES));
    if (r == FRAME_OK) {
        check_range(&f);
        frame_encode(again, &f);
        assert(memcmp(again, data, sizeof(again)) == 0);
    }
    if (len >= FRAME_HEADER_BYTES && decode_mended(data, &f) == FRAME_OK)
        check_range(&f);
    return 0;
}
