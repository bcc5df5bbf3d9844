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

struct stream_window {
    struct stream *stream; /* borrowed; read by stream_next() */
    uint8_t *bytes;        /* owned */
    size_t capacity;
    size_t at, len;    /* of bytes: [at, len) is there and not taken */
    uint64_t position; /* in the stream, of bytes[at] */
    bool has_ended;    /* the stream: nothing comes behind len */
};

/* capacity: the most that is looked at at once.  Fails with ERROR_SYSTEM. */
int stream_window_init(struct stream_window *window, struct stream *stream,
                       size_t capacity, struct error *err);

/* Tolerates a zeroed one. */
void stream_window_fini(struct stream_window *window);

/* Goes on to offset, which has not gone by, or to the end if that is nearer. */
int stream_window_skip_to(struct stream_window *window, uint64_t offset,
                          struct error *err);

/*
 * The next len bytes (<= capacity), not taken: *got of them, fewer only where
 * the stream ends, stay at *bytes until the next call.
 */
int stream_window_look(struct stream_window *window, size_t len,
                       const uint8_t **bytes, size_t *got, struct error *err);

/* Takes len bytes into buf.  *got: fewer only where the stream ends. */
int stream_window_take(struct stream_window *window, uint8_t *buf, size_t len,
                       size_t *got, struct error *err);

#endif
