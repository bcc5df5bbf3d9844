#include "base/zstd.h"

#include <string.h>

#include <zstd.h>

#include "base/bytes.h"

#define ZSTD_SKIPPABLE 0x184d2a50U /* the first of 16 magic numbers */
#define MIN_WINDOW_LOG 10          /* the smallest that a frame can have */
#define MAGIC_BYTES    4U

static ZSTD_CCtx *inner_packer(struct zstd_packer *packer)
{
    return (ZSTD_CCtx *)(void *)packer;
}

struct zstd_packer *zstd_packer_open(void)
{
    return (struct zstd_packer *)(void *)ZSTD_createCCtx();
}

void zstd_packer_close(struct zstd_packer *packer)
{
    ZSTD_freeCCtx(inner_packer(packer));
}

size_t zstd_pack(struct zstd_packer *packer, const uint8_t *plain,
                 size_t plain_len, uint8_t *out, size_t out_len)
{
    size_t len = ZSTD_compressCCtx(inner_packer(packer), out, out_len, plain,
                                   plain_len, ZSTD_FAST_LEVEL);

    return ZSTD_isError(len) ? 0 : len;
}

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

/* libzstd also reads legacy formats, which we do not trust. */
static bool is_final_format(const uint8_t *packed, size_t packed_len)
{
    static const uint8_t magic[MAGIC_BYTES] = { 0x28, 0xb5, 0x2f, 0xfd };

    return packed_len > MAGIC_BYTES && memcmp(packed, magic, MAGIC_BYTES) == 0;
}

bool zstd_unpack_exactly(struct zstd_unpacker *unpacker, const uint8_t *packed,
                         size_t packed_len, uint8_t *out, size_t out_len)
{
    size_t got;

    return is_final_format(packed, packed_len) &&
           ZSTD_getFrameContentSize(packed, packed_len) == out_len &&
           zstd_frame_bytes(packed, packed_len) == packed_len &&
           zstd_unpack(unpacker, packed, packed_len, out, out_len, &got) &&
           got == out_len;
}

static ZSTD_DCtx *inner_stream(struct zstd_stream *stream)
{
    return (ZSTD_DCtx *)(void *)stream;
}

/* RFC 8878: a descriptor follows the magic number; then, unless the frame is a
 * single segment whose window is its size, an exponent and a mantissa. */
uint64_t zstd_window_bytes(const uint8_t *packed, size_t packed_len)
{
    uint64_t base;

    while (packed_len >= 8 && (get_le32(packed) & ~15U) == ZSTD_SKIPPABLE) {
        uint64_t skipped = 8 + (uint64_t)get_le32(packed + 4);

        if (skipped > packed_len)
            return 0;
        packed += skipped;
        packed_len -= (size_t)skipped;
    }
    if (!is_final_format(packed, packed_len) || packed_len < 6)
        return 0;
    if (packed[4] & 0x20) {
        base = ZSTD_getFrameContentSize(packed, packed_len);
        return base >= ZSTD_CONTENTSIZE_ERROR ? 0 : base;
    }
    base = UINT64_C(1) << (10 + (packed[5] >> 3));
    return base + base / 8 * (packed[5] & 7);
}

struct zstd_stream *zstd_stream_open(uint64_t max_window_bytes)
{
    ZSTD_DCtx *stream = ZSTD_createDCtx();
    int log = ZSTD_WINDOW_LOG;

    while (log > MIN_WINDOW_LOG && UINT64_C(1) << log > max_window_bytes)
        log--;
    if (stream &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, log)))
        return (struct zstd_stream *)(void *)stream;
    ZSTD_freeDCtx(stream);
    return NULL;
}

void zstd_stream_close(struct zstd_stream *stream)
{
    ZSTD_freeDCtx(inner_stream(stream));
}

const char *zstd_stream_step(struct zstd_stream *stream, const uint8_t **in,
                             size_t *in_len, uint8_t *out, size_t *out_len,
                             bool *is_whole)
{
    ZSTD_inBuffer from = { *in, *in_len, 0 };
    ZSTD_outBuffer to = { out, *out_len, 0 };
    size_t r = ZSTD_decompressStream(inner_stream(stream), &to, &from);

    *in += from.pos;
    *in_len -= from.pos;
    *out_len = to.pos;
    *is_whole = r == 0;
    return ZSTD_isError(r) ? ZSTD_getErrorName(r) : NULL;
}
