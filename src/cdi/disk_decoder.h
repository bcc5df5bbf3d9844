/*
 * disk_decoder.h - the bytes of a disk from its first to its last, as an upload
 * brings them: plain, or in the snappy framing format.  Of one thread.
 */
#ifndef CW_CDI_DISK_DECODER_H
#define CW_CDI_DISK_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/body.h"
#include "http/snappy_frame.h"
#include "transfer/disk_stream.h"

#define DISK_DECODER_HEAD_BYTES 512U
#define DISK_DECODER_LINE_BYTES \
    64U /* holds the head of a chunk, and little more */

/* ---- plain ---- */

struct disk_decoder_plain {
    struct disk_stream feed; /* first */
    struct body body;
    const uint8_t *at; /* what is left of the last piece */
    size_t len;
    bool is_over;
    size_t head_at, head_len; /* of head: not yet given out */
    uint8_t head[DISK_DECODER_HEAD_BYTES];
};

void disk_decoder_plain_init(struct disk_decoder_plain *plain,
                             const struct body *body);

/* Looks at the first bytes, which fill() will give: at plain->head, as many as
 * are returned, DISK_DECODER_HEAD_BYTES or all there are.  Once, at first; or -1. */
ssize_t disk_decoder_plain_peek(struct disk_decoder_plain *plain,
                                struct error *err);

/* ---- snappy ---- */

/* Blocks out of the frames in pieces; about 200 KiB. */
struct disk_decoder_snappy {
    struct disk_stream feed; /* first */
    struct body body;
    const uint8_t *at; /* what is left of the last piece */
    size_t len;
    bool is_over;
    struct snappy_frame_reader reader;
    bool is_straight; /* the last chunk was received where it belongs */
    uint8_t line[DISK_DECODER_LINE_BYTES];
    uint8_t block[SNAPPY_FRAME_BLOCK_BYTES];
    /* What of the last block has not been given out. */
    size_t block_at, block_len;
    bool block_is_zero;
};

void disk_decoder_snappy_init(struct disk_decoder_snappy *snappy,
                              const struct body *body);

/* The plain bytes as pieces; not mixed with fill(). */
struct body disk_decoder_snappy_pieces(struct disk_decoder_snappy *snappy);

#endif
