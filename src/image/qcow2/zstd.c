#include "image/qcow2/zstd.h"

#include "base/zstd.h"

/* The frame's end is found first, so sector padding behind it does no
 * harm. */
bool qcow2_zstd_unpack(struct zstd_unpacker *zstd, const uint8_t *packed,
                       size_t packed_len, uint8_t *out, size_t out_len)
{
    while (out_len > 0) {
        size_t frame = zstd_frame_bytes(packed, packed_len);
        size_t got;

        if (frame == 0 || !zstd_unpack(zstd, packed, frame, out, out_len, &got))
            return false;
        packed += frame;
        packed_len -= frame;
        out += got;
        out_len -= got;
    }
    return true;
}
