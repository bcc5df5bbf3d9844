/*
 * snappy_frame.h - encodes and decodes the snappy framing format.  Pure.
 *
 * A stream is its identifier, followed by chunks: one byte of type, three
 * bytes of length (little-endian), and that many bytes of body.
 *
 *   0xff        "sNaPpY", first of all; may come again
 *   0x00        masked CRC-32C of the plain bytes (4), then them by snappy
 *   0x01        masked CRC-32C (4), then the bytes as they are
 *   0x02-0x7f   a reader that does not know them must give up
 *   0x80-0xfe   to be skipped; 0xfe is padding
 *
 * A data chunk has at most 64 KiB of plain bytes.  The format has no end
 * marker: only its container can say whether a stream is complete.
 *
 * Zeros are almost free on both sides: the writer keeps a ready-made chunk of
 * 64 KiB of zeros, and the reader compares chunks with the last one that was
 * all zeros, whichever program made it.
 */
#ifndef CW_HTTP_SNAPPY_FRAME_H
#define CW_HTTP_SNAPPY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPPY_FRAME_BLOCK_BYTES 65536U /* max plain bytes per chunk */
#define SNAPPY_FRAME_PACKED_BYTES \
    (32U + SNAPPY_FRAME_BLOCK_BYTES + SNAPPY_FRAME_BLOCK_BYTES / 6)
#define SNAPPY_FRAME_CHECK_BYTES 4U
#define SNAPPY_FRAME_HEAD_BYTES  8U /* type, length, check */
#define SNAPPY_FRAME_NAME_BYTES  10U
#define SNAPPY_FRAME_ZERO_BYTES  4096U /* fits a chunk of compressed zeros */

/* The identifier at the start of every stream. */
extern const uint8_t snappy_frame_name[SNAPPY_FRAME_NAME_BYTES];

/* ---- out ---- */

struct snappy_frame_writer {
    bool
        stores; /* set by the caller: store data uncompressed, zeros excepted */
    uint8_t packed[SNAPPY_FRAME_PACKED_BYTES];
    uint8_t zero_head[SNAPPY_FRAME_HEAD_BYTES];
    uint8_t zero_packed[SNAPPY_FRAME_ZERO_BYTES];
    size_t zero_len;
};

/* A chunk to send: header, then body. */
struct snappy_frame_chunk {
    uint8_t head[SNAPPY_FRAME_HEAD_BYTES];
    const uint8_t *body;
    size_t body_len;
};

/* Prepares the chunk of zeros; compresses until the caller sets stores. */
void snappy_frame_writer_init(struct snappy_frame_writer *writer);

/*
 * Makes the chunk of the len plain bytes at data, 1 to
 * SNAPPY_FRAME_BLOCK_BYTES; data NULL: len zeros.  The body is in the writer's
 * memory or in data itself (incompressible data is not copied), and valid
 * until either changes.
 */
void snappy_frame_write(struct snappy_frame_writer *writer, const uint8_t *data,
                        size_t len, struct snappy_frame_chunk *chunk);

/* ---- in ---- */

enum snappy_frame_result {
    SNAPPY_FRAME_MORE,       /* all input used: feed more */
    SNAPPY_FRAME_BLOCK,      /* a block is complete */
    SNAPPY_FRAME_BAD_NAME,   /* does not begin with the identifier */
    SNAPPY_FRAME_BAD_TYPE,   /* an unknown chunk that must not be skipped */
    SNAPPY_FRAME_BAD_LENGTH, /* invalid length for this type */
    SNAPPY_FRAME_BAD_DATA,   /* not valid snappy, or of the wrong length */
    SNAPPY_FRAME_BAD_CHECK,  /* the checksum does not match */
    SNAPPY_FRAME_CUT,        /* ends inside a chunk */
    SNAPPY_FRAME_EMPTY,      /* ends before the identifier */
};

/* Starts zeroed except for its buffers; about 140 KiB. */
struct snappy_frame_reader {
    uint64_t taken;    /* bytes of the stream so far, for messages */
    uint64_t skip;     /* remaining bytes of a skippable chunk */
    bool has_begun;    /* the identifier was received */
    size_t held;       /* bytes of an incomplete chunk in hold */
    size_t zero_len;   /* 0: none seen yet */
    size_t zero_plain; /* plain bytes of that chunk */
    uint8_t zero[SNAPPY_FRAME_ZERO_BYTES];
    uint8_t hold[SNAPPY_FRAME_HEAD_BYTES + SNAPPY_FRAME_PACKED_BYTES];
};

/* len plain bytes; is_zero: all zero, and not written to memory. */
struct snappy_frame_block {
    size_t len;
    bool is_zero;
};

/* *reader may have any previous content. */
void snappy_frame_reader_init(struct snappy_frame_reader *reader);

/*
 * Reads from the *len bytes at *in, moving both on, up to the end of one data
 * chunk; the input may be cut anywhere.  SNAPPY_FRAME_BLOCK: *block is filled,
 * and its bytes are at out unless they are zeros (so memory that was zeroed
 * before stays untouched); call again, even if *len is 0.  out has room for
 * SNAPPY_FRAME_BLOCK_BYTES, and may differ in each call. The function returns
 * no data before its checksum is verified; until then bytes at out must be
 * ignored.  After SNAPPY_FRAME_BAD_* the stream is lost: do not call again.
 */
enum snappy_frame_result snappy_frame_read(struct snappy_frame_reader *reader,
                                           const uint8_t **in, size_t *len,
                                           uint8_t *out,
                                           struct snappy_frame_block *block);

/*
 * After SNAPPY_FRAME_MORE inside a data chunk: returns where its next bytes go
 * and stores in *missing how many are missing, so that the caller can receive
 * them there and save copies.  out as for snappy_frame_read(), and the same
 * until the chunk is complete.  NULL: not inside a chunk, or too few are
 * missing.
 */
uint8_t *snappy_frame_place(struct snappy_frame_reader *reader, uint8_t *out,
                            size_t *missing);

/* All of them are there: as snappy_frame_read() at the end of a chunk. */
enum snappy_frame_result snappy_frame_placed(struct snappy_frame_reader *reader,
                                             uint8_t *out,
                                             struct snappy_frame_block *block);

/* Ends the input: returns SNAPPY_FRAME_MORE if it may end here, else the
 * error. */
enum snappy_frame_result snappy_frame_end(
    const struct snappy_frame_reader *reader);

/* A text such as "damaged: a checksum does not fit", for messages.  Never
 * NULL. */
const char *snappy_frame_text(enum snappy_frame_result result);

#endif
