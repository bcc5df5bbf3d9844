/*
 * frame.h - the fixed header in front of each frame on a data lane.  Pure.
 *
 *   offset  size  field
 *        0     2  magic    0xC10E
 *        2     1  type     enum frame_type
 *        3     1  flags    0 in version 1
 *        4     4  check    CRC-32C of the other 20 bytes
 *        8     8  offset   byte of the disk
 *       16     8  length   bytes described
 *
 * Big-endian.  DATA is followed by length bytes of payload.  ZSTD is followed
 * by one zstd frame, whose size is in bytes 16-19; its decompressed size is in
 * bytes 20-23.  PATCH is followed by the digest of the chunk, the others by
 * nothing.  Rules a receiver enforces (docs/protocol.md is normative):
 *
 *   - DATA and ZSTD lie inside one chunk; ZERO lies inside one chunk or
 *     covers whole chunks exactly (the last chunk of the disk may be short)
 *   - ZSTD requires agreement in PLAN, and saves at least one byte
 *   - SAME covers whole chunks exactly, all of them announced in HAVE or
 *     LEAVES, or whole leaves (64 KiB) inside a chunk announced in LEAVES;
 *     after PATCH, blocks (4 KiB) of it
 *   - PATCH covers one chunk and precedes its other frames
 *   - the frames of a chunk follow each other on one lane, ascending and
 *     adjacent, and cover it completely; each chunk comes exactly once
 *   - inside a chunk, frames begin and end at multiples of 4096 bytes or at
 *     the end of the disk
 *   - END has offset 0 and length 0, and is the last frame of its lane
 */
#ifndef CW_WIRE_FRAME_H
#define CW_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES 24U
#define FRAME_MAGIC        UINT16_C(0xC10E)

enum frame_type {
    FRAME_DATA = 1,  /* payload follows: write it at offset */
    FRAME_ZERO = 2,  /* [offset, offset+length) reads as zero */
    FRAME_END = 3,   /* no more frames on this lane */
    FRAME_SAME = 4,  /* the target already has this range, by HAVE or LEAVES */
    FRAME_ZSTD = 5,  /* compressed payload follows: write it at offset */
    FRAME_PATCH = 6, /* its digest follows, then the frames of the chunk */
};

struct frame {
    enum frame_type type;
    uint64_t offset;
    uint64_t length;
    uint32_t packed_bytes; /* ZSTD: payload size, < length; else 0 */
};

enum frame_result {
    FRAME_OK,
    FRAME_SHORT,     /* fewer than FRAME_HEADER_BYTES */
    FRAME_BAD_MAGIC, /* not a frame, or the stream is out of step */
    FRAME_BAD_CHECK, /* the header is damaged */
    FRAME_BAD_TYPE,  /* unknown type or flag in this version */
    FRAME_BAD_RANGE, /* empty, too long, unaligned, or outside the disk */
};

/* Writes exactly FRAME_HEADER_BYTES to out. */
void frame_encode(uint8_t out[FRAME_HEADER_BYTES], const struct frame *frame);

/*
 * Decodes one header from the first len bytes of in, for a disk of
 * virtual_bytes.  On FRAME_OK *frame is filled and obeys the range rules
 * above; on any other result it is unchanged.
 */
enum frame_result frame_decode(const uint8_t *in, size_t len,
                               uint64_t virtual_bytes, struct frame *frame);

/* A text such as "bad range" for messages.  Never NULL. */
const char *frame_result_text(enum frame_result result);

#endif
