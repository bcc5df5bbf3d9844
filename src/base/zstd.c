#include "base/zstd.h"

#include <zstd.h>

static ZSTD_DCtx *inner(struct zstd_unpacker *unpacker)
{
    return (ZSTD_DCtx *)(void *)unpacker;
}

struct zstd_unpacker *zstd_unpacker_open(void)
{
    return (struct zstd_unpacker *)(void *)ZSTD_createDCtx();
}

void zstd_unpacker_close(struct zstd_unpacker *unpacker)
{
    ZSTD_freeDCtx(inner(unpacker));
}

size_t zstd_frame_bytes(const uint8_t *packed, size_t packed_len)
{
    size_t frame = ZSTD_findFrameCompressedSize(packed, packed_len);

    return ZSTD_isError(frame) ? 0 : frame;
}

bool zstd_unpack(struct zstd_unpacker *unpacker, const uint8_t *packed,
                 size_t packed_len, uint8_t *out, size_t out_len, size_t *got)
{
    *got = ZSTD_decompressDCtx(inner(unpacker), out, out_len, packed,
                               packed_len);
    return !ZSTD_isError(*got) && *got <= out_len;
}
