/*
 * disk_decoder.h - the bytes of a disk in order, as an upload delivers them:
 * plain, or in the snappy framing format.  Used by one thread.
 */
#ifndef CW_CDI_DISK_DECODER_H
#define CW_CDI_DISK_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/snappy_frame.h"
#include "io/piece_source.h"
#include "transfer/disk_stream.h"

#define DISK_DECODER_HEAD_BYTES 512U
#define DISK_DECODER_LINE_BYTES 64U /* enough for the head of a chunk */

struct disk_decoder_input {
    struct piece_source body;
    const uint8_t *at; /* the rest of the last piece */
    size_t len;
    bool is_over;
};

/* ---- plain ---- */

struct disk_decoder_plain {
    struct disk_stream feed; /* first */
    struct disk_decoder_input in;
    size_t head_at, head_len; /* of head: not yet returned */
    uint8_t head[DISK_DECODER_HEAD_BYTES];
};

void disk_decoder_plain_init(struct disk_decoder_plain *plain,
                             const struct piece_source *body);

/* Reads the first bytes ahead of fill() into plain->head.  Call it once, before
 * fill().  Returns their number: DISK_DECODER_HEAD_BYTES, or all; or -1. */
ssize_t disk_decoder_plain_peek(struct disk_decoder_plain *plain,
                                struct error *err);

/* ---- snappy ---- */

/* Decodes blocks from frames that arrive in pieces; about 200 KiB. */
struct disk_decoder_snappy {
    struct disk_stream feed; /* first */
    struct disk_decoder_input in;
    struct snappy_frame_reader reader;
    bool is_straight; /* the last chunk was received into the output */
    uint8_t line[DISK_DECODER_LINE_BYTES];
    uint8_t block[SNAPPY_FRAME_BLOCK_BYTES];
    /* The part of the last block that was not yet returned. */
    size_t block_at, block_len;
    bool block_is_zero;
};

void disk_decoder_snappy_init(struct disk_decoder_snappy *snappy,
                              const struct piece_source *body);

/* The plain bytes as a body; do not mix it with fill(). */
struct piece_source disk_decoder_snappy_pieces(
    struct disk_decoder_snappy *snappy);

#endif
