#include "image/qcow2_zstd.h"

#include <zstd.h>

static ZSTD_DCtx *inner(struct qcow2_zstd *zstd)
{
    return (ZSTD_DCtx *)(void *)zstd;
}

struct qcow2_zstd *qcow2_zstd_open(void)
{
    return (struct qcow2_zstd *)(void *)ZSTD_createDCtx();
}

void qcow2_zstd_close(struct qcow2_zstd *zstd)
{
    ZSTD_freeDCtx(inner(zstd));
}

/*
 * Frame by frame and never as a stream: the frame's end is found first, so
 * sector padding behind it does no harm, and no window is allocated however
 * large the header claims it to be.
 */
bool qcow2_zstd_unpack(struct qcow2_zstd *zstd, const uint8_t *packed,
                       size_t packed_len, uint8_t *out, size_t out_len)
{
    while (out_len > 0) {
        size_t frame = ZSTD_findFrameCompressedSize(packed, packed_len);
        size_t got;

        if (ZSTD_isError(frame) || frame == 0)
            return false;
        got = ZSTD_decompressDCtx(inner(zstd), out, out_len, packed, frame);
        if (ZSTD_isError(got) || got > out_len)
            return false;
        packed += frame;
        packed_len -= frame;
        out += got;
        out_len -= got;
    }
    return true;
}
