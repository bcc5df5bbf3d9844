#include "image/stream/plain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "image/stream/peek_pipe.h"

struct plain {
    struct stream stream; /* first: callers hold this */
    uint64_t out;         /* offset of the next byte */
};

/* Fills buf from the position of the pipe. */
static int fill(struct plain *piped, uint8_t *buf, size_t len,
                struct error *err)
{
    while (len > 0) {
        ssize_t n = peek_pipe_read(piped->stream.pipe, buf, len, piped->out,
                                   err);

        if (n < 0)
            return -1;
        if (n == 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "ended after %" PRIu64
                             " bytes, fewer than the expected %" PRIu64,
                             piped->out, piped->stream.size_bytes);
        buf += n;
        len -= (size_t)n;
        piped->out += (uint64_t)n;
    }
    return 0;
}

static int expect_end(struct plain *piped, struct error *err)
{
    uint8_t byte;
    ssize_t n = peek_pipe_read(piped->stream.pipe, &byte, 1, piped->out, err);

    if (n <= 0)
        return (int)n;
    return error_set(err, ERROR_FORMAT, 0,
                     "holds more than the expected %" PRIu64 " bytes",
                     piped->stream.size_bytes);
}

static int plain_read(struct stream *stream, void *buf, size_t len,
                      uint64_t offset, struct error *err)
{
    struct plain *piped = (struct plain *)stream;

    /* Seeking back works within the head of the pipe; else the pipe fails. */
    piped->out = offset;
    if (fill(piped, buf, len, err) < 0)
        return -1;
    return piped->out == stream->size_bytes ? expect_end(piped, err) : 0;
}

static ssize_t plain_next(struct stream *stream, void *buf, size_t len,
                          struct error *err)
{
    struct plain *piped = (struct plain *)stream;
    ssize_t n = peek_pipe_read(stream->pipe, buf, len, piped->out, err);

    if (n > 0)
        piped->out += (uint64_t)n;
    return n;
}

static int plain_prove(struct stream *stream, struct error *err)
{
    (void)stream;
    (void)err;
    return 0; /* no checksum, and the length was checked */
}

static void plain_close(struct stream *stream)
{
    free(stream);
}

static const struct stream_ops plain_ops = {
    .read = plain_read,
    .next = plain_next,
    .prove = plain_prove,
    .close = plain_close,
};

struct stream *plain_open(struct peek_pipe *pipe, uint64_t size_bytes)
{
    struct plain *piped = calloc(1, sizeof(*piped));

    if (!piped)
        return NULL;
    piped->stream = (struct stream){
        .ops = &plain_ops,
        .pipe = pipe,
        .size_bytes = size_bytes,
        .host_bytes = size_bytes,
        .mode = FILE_MODE_BUFFERED,
        .is_sequential = true,
    };
    return &piped->stream;
}
