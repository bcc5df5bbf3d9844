/* packed.c - frames of zstd that are not what they say. */
#include "../evil_source.h"
#include "base/zstd.h"

#define ROOM_BYTES 512U /* two MiB of zeros packed fit many times */

/* A ZSTD frame that says to hold length bytes at offset 0. */
static void packed_frame(struct evil *evil, uint64_t length,
                         const uint8_t *payload, size_t len)
{
    struct frame frame = { FRAME_ZSTD, 0, length, (uint32_t)len };
    uint8_t header[FRAME_HEADER_BYTES];

    frame_encode(header, &frame);
    evil_send(evil->lanes[0], header, sizeof header);
    evil_send(evil->lanes[0], payload, len);
}

/* So many zeros, packed; returns how many bytes that is. */
static size_t pack_zeros(uint8_t out[ROOM_BYTES], size_t zeros)
{
    static const uint8_t plain[2 * CHUNK_BYTES];
    struct zstd_packer *packer = zstd_packer_open();
    size_t len = zstd_pack(packer, plain, zeros, out, ROOM_BYTES);

    zstd_packer_close(packer);
    return len;
}

/* No sin at all. */
void zstd_honest(struct evil *evil)
{
    uint8_t packed[ROOM_BYTES];

    packed_frame(evil, CHUNK_BYTES, packed, pack_zeros(packed, CHUNK_BYTES));
    frame(evil, 0, FRAME_ZERO, CHUNK_BYTES, EVIL_DISK_BYTES - CHUNK_BYTES);
    frame(evil, 0, FRAME_END, 0, 0);
    finish(evil);
}

void zstd_garbage(struct evil *evil)
{
    packed_frame(evil, CHUNK_BYTES, (const uint8_t *)"no frame at all", 15);
}

void zstd_longer(struct evil *evil)
{
    uint8_t packed[ROOM_BYTES];

    packed_frame(evil, CHUNK_BYTES, packed,
                 pack_zeros(packed, 2 * CHUNK_BYTES));
}

void zstd_shorter(struct evil *evil)
{
    uint8_t packed[ROOM_BYTES];

    packed_frame(evil, CHUNK_BYTES, packed, pack_zeros(packed, 4096));
}

/* The header of the frame inside says the right length, and lies. */
void zstd_damaged(struct evil *evil)
{
    uint8_t packed[ROOM_BYTES];
    size_t len = pack_zeros(packed, CHUNK_BYTES);

    memset(packed + len / 2, 0xff, len - len / 2);
    packed_frame(evil, CHUNK_BYTES, packed, len);
}

void zstd_two_frames(struct evil *evil)
{
    uint8_t packed[2 * ROOM_BYTES];
    size_t len = pack_zeros(packed, 4096);

    len += pack_zeros(packed + len, 4096);
    packed_frame(evil, 8192, packed, len);
}

void zstd_no_gain(struct evil *evil)
{
    static const uint8_t payload[4096];

    packed_frame(evil, sizeof payload, payload, sizeof payload);
}

void zstd_across(struct evil *evil)
{
    packed_frame(evil, 2 * CHUNK_BYTES, (const uint8_t *)"x", 1);
}
