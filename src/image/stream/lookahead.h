/*
 * lookahead.h - a stream read once, from front to back, through a window
 * that what comes next can be looked at in before it is taken.
 *
 *   ... gone by | at ......... len | not yet read ...
 *               position
 */
#ifndef CW_IMAGE_STREAM_LOOKAHEAD_H
#define CW_IMAGE_STREAM_LOOKAHEAD_H

#include "image/stream/stream.h"

struct lookahead {
    struct stream *stream; /* borrowed; read by stream_next() */
    uint8_t *bytes;        /* owned */
    size_t capacity;
    size_t at, len;    /* of bytes: [at, len) is there and not taken */
    uint64_t position; /* in the stream, of bytes[at] */
    bool has_ended;    /* the stream: nothing comes behind len */
};

/* capacity: the most that is looked at at once.  Fails with ERROR_SYSTEM. */
int lookahead_init(struct lookahead *window, struct stream *stream,
                   size_t capacity, struct error *err);

/* Tolerates a zeroed one. */
void lookahead_fini(struct lookahead *window);

/* Goes on to offset, which has not gone by, or to the end if that is nearer. */
int lookahead_skip_to(struct lookahead *window, uint64_t offset,
                      struct error *err);

/*
 * The next len bytes (<= capacity), not taken: *got of them, fewer only where
 * the stream ends, stay at *bytes until the next call.
 */
int lookahead_look(struct lookahead *window, size_t len, const uint8_t **bytes,
                   size_t *got, struct error *err);

/* Takes len bytes into buf.  *got: fewer only where the stream ends. */
int lookahead_take(struct lookahead *window, uint8_t *buf, size_t len,
                   size_t *got, struct error *err);

#endif
