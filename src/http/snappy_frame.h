/*
 * snappy_frame.h - the snappy framing format, both ways.  Pure.
 *
 * A stream is its identifier and then chunks: one byte of type, three of
 * length (little-endian), and so many bytes.
 *
 *   0xff        "sNaPpY", first of all; may come again
 *   0x00        masked CRC-32C of the plain bytes (4), then them by snappy
 *   0x01        masked CRC-32C (4), then the bytes as they are
 *   0x02-0x7f   not to be skipped: whoever does not know them must give up
 *   0x80-0xfe   to be skipped; 0xfe is padding
 *
 * A data chunk has at most 64 KiB of plain bytes.  The format has no end:
 * whether a stream is whole, only what carries it can say.
 *
 * Zeros cost next to nothing on either side: the writer has the chunk of 64
 * KiB of them ready made, and the reader knows again, by its bytes, the last
 * chunk that was nothing but zeros, whoever made it.
 */
#ifndef CW_HTTP_SNAPPY_FRAME_H
#define CW_HTTP_SNAPPY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPPY_FRAME_BLOCK_BYTES 65536U /* plain, in one chunk, at most */
#define SNAPPY_FRAME_PACKED_BYTES \
    (32U + SNAPPY_FRAME_BLOCK_BYTES + SNAPPY_FRAME_BLOCK_BYTES / 6)
#define SNAPPY_FRAME_CHECK_BYTES 4U
#define SNAPPY_FRAME_HEAD_BYTES  8U /* type, length, check */
#define SNAPPY_FRAME_NAME_BYTES  10U
#define SNAPPY_FRAME_ZERO_BYTES  4096U /* holds a chunk of packed zeros */

/* The identifier that every stream begins with. */
extern const uint8_t snappy_frame_name[SNAPPY_FRAME_NAME_BYTES];

/* ---- out ---- */

struct snappy_frame_writer {
    bool stores; /* the caller's: leaves data as it is, zeros excepted */
    uint8_t packed[SNAPPY_FRAME_PACKED_BYTES];
    uint8_t zero_head[SNAPPY_FRAME_HEAD_BYTES];
    uint8_t zero_packed[SNAPPY_FRAME_ZERO_BYTES];
    size_t zero_len;
};

/* A chunk to send: head, then body. */
struct snappy_frame_chunk {
    uint8_t head[SNAPPY_FRAME_HEAD_BYTES];
    const uint8_t *body;
    size_t body_len;
};

/* Makes the chunk of zeros; packs, until it is told to store. */
void snappy_frame_writer_init(struct snappy_frame_writer *writer);

/*
 * Makes the chunk of the len plain bytes at data, 1 to SNAPPY_FRAME_BLOCK_BYTES;
 * data NULL: so many zeros.  The body is in the writer's memory or in data
 * itself (what cannot be packed is not copied), and good until either
 * changes.
 */
void snappy_frame_write(struct snappy_frame_writer *writer, const uint8_t *data,
                        size_t len, struct snappy_frame_chunk *chunk);

/* ---- in ---- */

enum snappy_frame_result {
    SNAPPY_FRAME_MORE,       /* all input is taken: feed more of it */
    SNAPPY_FRAME_BLOCK,      /* a block is complete */
    SNAPPY_FRAME_BAD_NAME,   /* does not begin with the identifier */
    SNAPPY_FRAME_BAD_TYPE,   /* a chunk that must not be skipped */
    SNAPPY_FRAME_BAD_LENGTH, /* no chunk of this type is so long or short */
    SNAPPY_FRAME_BAD_DATA,   /* no snappy, or not of the length it says */
    SNAPPY_FRAME_BAD_CHECK,  /* the check does not fit the bytes */
    SNAPPY_FRAME_CUT,        /* ends within a chunk */
    SNAPPY_FRAME_EMPTY,      /* ends before it has begun */
};

/* Starts as all zeros but for memory; about 140 KiB. */
struct snappy_frame_reader {
    uint64_t taken;    /* bytes of the stream so far: for messages */
    uint64_t skip;     /* bytes of a skippable chunk to come */
    bool has_begun;    /* the identifier was there */
    size_t held;       /* bytes of an incomplete chunk in hold */
    size_t zero_len;   /* 0: none seen yet */
    size_t zero_plain; /* bytes it stands for */
    uint8_t zero[SNAPPY_FRAME_ZERO_BYTES];
    uint8_t hold[SNAPPY_FRAME_HEAD_BYTES + SNAPPY_FRAME_PACKED_BYTES];
};

/* len plain bytes; is_zero: all zero, and not written anywhere. */
struct snappy_frame_block {
    size_t len;
    bool is_zero;
};

/* *reader may be of any content before. */
void snappy_frame_reader_init(struct snappy_frame_reader *reader);

/*
 * Takes from the *len bytes at *in, moving both on, up to the end of one data
 * chunk; how the input is cut does not matter.  SNAPPY_FRAME_BLOCK: *block is
 * filled, its bytes are at out unless they are zeros (so memory that was
 * zeroed ahead need not be touched); call again, *len may be 0 or not.  out
 * has room for SNAPPY_FRAME_BLOCK_BYTES, and may be another one in each call.
 * Nothing of a chunk is given out before its check is found right, but for
 * bytes at out that are then to be ignored.  After SNAPFRAME_BAD_* the stream
 * is lost: do not call again.
 */
enum snappy_frame_result snappy_frame_read(struct snappy_frame_reader *reader,
                                           const uint8_t **in, size_t *len,
                                           uint8_t *out,
                                           struct snappy_frame_block *block);

/*
 * After SNAPPY_FRAME_MORE: within a data chunk, where its next bytes go, and at
 * *missing how many of it have not come: whoever receives can put them right
 * there and spare copies.  out as for snappy_frame_read(), and the same until
 * the chunk is whole.  NULL: not within a chunk, or hardly any are missing.
 */
uint8_t *snappy_frame_place(struct snappy_frame_reader *reader, uint8_t *out,
                            size_t *missing);

/* They are all there: as snappy_frame_read() at the end of a chunk.  */
enum snappy_frame_result snappy_frame_placed(struct snappy_frame_reader *reader,
                                             uint8_t *out,
                                             struct snappy_frame_block *block);

/* The input is over: SNAPPY_FRAME_MORE when it may be, else what is wrong. */
enum snappy_frame_result snappy_frame_end(
    const struct snappy_frame_reader *reader);

/* "damaged: a checksum does not fit": for messages.  Never NULL. */
const char *snappy_frame_text(enum snappy_frame_result result);

#endif
