/*
 * lookahead.h - a stream read once, from front to back, through a window in
 * which the next bytes can be examined before they are consumed.
 *
 *   ... gone by | at ......... len | not yet read ...
 *               position
 */
#ifndef CW_IMAGE_STREAM_LOOKAHEAD_H
#define CW_IMAGE_STREAM_LOOKAHEAD_H

#include "image/stream/stream.h"
#include "io/spool.h"

struct lookahead {
    struct stream *stream; /* borrowed; read by stream_next() */
    uint8_t *bytes;        /* owned */
    size_t capacity;
    size_t at, len;    /* of bytes: [at, len) is buffered and not consumed */
    uint64_t position; /* in the stream, of bytes[at] */
    bool has_ended;    /* the stream has no bytes after len */

    /* Receives what is consumed, at its offset, but for lookahead_take_last().
     * Borrowed; NULL: none. */
    struct spool *spool;
};

/* capacity: the largest window in bytes.  Fails with ERROR_SYSTEM. */
int lookahead_init(struct lookahead *window, struct stream *stream,
                   size_t capacity, struct error *err);

/* Tolerates a zeroed struct. */
void lookahead_fini(struct lookahead *window);

/* Skips to offset, which has not gone by, or to the end if that comes first. */
int lookahead_skip_to(struct lookahead *window, uint64_t offset,
                      struct error *err);

/* Examines the next len bytes (<= capacity) without consuming them.  *bytes is
 * valid until the next call; *got < len only at the end of the stream. */
int lookahead_look(struct lookahead *window, size_t len, const uint8_t **bytes,
                   size_t *got, struct error *err);

/* Consumes len bytes into buf.  *got < len only at the end of the stream. */
int lookahead_take(struct lookahead *window, uint8_t *buf, size_t len,
                   size_t *got, struct error *err);

/* The same for bytes that are not needed again. */
int lookahead_take_last(struct lookahead *window, uint8_t *buf, size_t len,
                        size_t *got, struct error *err);

#endif
