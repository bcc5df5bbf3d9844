#include "image/stream/lookahead.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lookahead_init(struct lookahead *window, struct stream *stream,
                   size_t capacity, struct error *err)
{
    *window = (struct lookahead){
        .stream = stream,
        .bytes = malloc(capacity),
        .capacity = capacity,
    };
    return window->bytes
               ? 0
               : error_set(err, ERROR_SYSTEM, ENOMEM, "read a stream");
}

void lookahead_fini(struct lookahead *window)
{
    free(window->bytes);
    window->bytes = NULL;
}

/* Reads up to len bytes.  Returns 1, or 0 at the end of the stream. */
static int next(struct lookahead *window, uint8_t *buf, size_t len, size_t *got,
                struct error *err)
{
    ssize_t n = 0;

    *got = 0;
    if (!window->has_ended)
        n = stream_next(window->stream, buf, len, err);
    if (n < 0)
        return -1;
    window->has_ended = n == 0;
    *got = (size_t)n;
    return n > 0;
}

/* Drops up to count buffered bytes.  Returns the rest of count. */
static uint64_t drop(struct lookahead *window, uint64_t count)
{
    size_t there = window->len - window->at;
    size_t max = count < there ? (size_t)count : there;

    if (window->spool)
        spool_write(window->spool, window->bytes + window->at, max,
                    window->position);
    window->at += max;
    window->position += max;
    return count - max;
}

int lookahead_skip_to(struct lookahead *window, uint64_t offset,
                      struct error *err)
{
    uint64_t left;

    assert(offset >= window->position);
    left = drop(window, offset - window->position);
    while (left > 0) {
        int r = next(window, window->bytes, window->capacity, &window->len,
                     err);

        window->at = 0;
        if (r <= 0)
            return r;
        left = drop(window, left);
    }
    return 0;
}

int lookahead_look(struct lookahead *window, size_t len, const uint8_t **bytes,
                   size_t *got, struct error *err)
{
    assert(len <= window->capacity);
    if (len > window->capacity - window->at) {
        memmove(window->bytes, window->bytes + window->at,
                window->len - window->at);
        window->len -= window->at;
        window->at = 0;
    }
    while (window->len - window->at < len) {
        size_t more;
        int r = next(window, window->bytes + window->len,
                     window->capacity - window->len, &more, err);

        if (r < 0)
            return -1;
        if (r == 0)
            break;
        window->len += more;
    }
    *bytes = window->bytes + window->at;
    *got = window->len - window->at < len ? window->len - window->at : len;
    return 0;
}

int lookahead_take_last(struct lookahead *window, uint8_t *buf, size_t len,
                        size_t *got, struct error *err)
{
    size_t there = window->len - window->at;

    *got = there < len ? there : len;
    memcpy(buf, window->bytes + window->at, *got);
    window->at += *got;
    window->position += *got;
    while (*got < len) {
        size_t more;
        int r = next(window, buf + *got, len - *got, &more, err);

        if (r <= 0)
            return r;
        *got += more;
        window->position += more;
    }
    return 0;
}

int lookahead_take(struct lookahead *window, uint8_t *buf, size_t len,
                   size_t *got, struct error *err)
{
    uint64_t from = window->position;

    if (lookahead_take_last(window, buf, len, got, err) < 0)
        return -1;
    if (window->spool)
        spool_write(window->spool, buf, *got, from);
    return 0;
}
