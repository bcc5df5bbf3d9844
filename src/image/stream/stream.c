#include "image/stream/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "image/stream/peek_pipe.h"
#include "image/stream/source_file.h"

/* ---- the container ---- */

int stream_no_memory(const struct stream *stream, struct error *err)
{
    return error_set(err, ERROR_SYSTEM, ENOMEM, "%sdecode", stream->ops->name);
}

void *stream_create(size_t size, const struct stream_ops *ops,
                    struct file *file, struct peek_pipe *pipe,
                    struct error *err)
{
    struct stream *stream = calloc(1, size);

    if (!stream) {
        file_close(file);
        error_set(err, ERROR_SYSTEM, ENOMEM, "%sopen", ops->name);
        return NULL;
    }
    stream->ops = ops;
    stream->pipe = pipe;
    stream->file = file_take(file);
    source_file_read_cached(&stream->file);
    stream->mode = CW_IO_MODE_BUFFERED;
    stream->host_bytes = stream->file.size_bytes;
    stream->input = malloc(STREAM_INPUT_BYTES);
    stream->scratch = malloc(STREAM_SCRATCH_BYTES);
    if (stream->input && stream->scratch)
        return stream;
    stream_no_memory(stream, err);
    stream_close(stream);
    return NULL;
}

static ssize_t read_container(struct stream *stream, struct error *err)
{
    ssize_t n;

    if (stream->pipe)
        return peek_pipe_read(stream->pipe, stream->input, STREAM_INPUT_BYTES,
                              stream->in_end, err);
    n = source_file_read(&stream->file, stream->input, STREAM_INPUT_BYTES,
                         stream->in_end);
    if (n < 0)
        return error_set(err, ERROR_SOURCE_IO, (int)-n,
                         "%sread %u bytes at %" PRIu64, stream->ops->name,
                         STREAM_INPUT_BYTES, stream->in_end);
    file_window_read(&stream->window, &stream->file, stream->in_end,
                     (uint64_t)n);
    return n;
}

int stream_refill(struct stream *stream, struct error *err)
{
    ssize_t n;

    if (stream->left > 0 || stream->input_has_ended)
        return 0;
    n = read_container(stream, err);
    if (n < 0)
        return -1;
    stream->input_has_ended = n == 0;
    stream->in_end += (uint64_t)n;
    stream->at = stream->input;
    stream->left = (size_t)n;
    return 0;
}

void stream_seek_input(struct stream *stream, uint64_t offset)
{
    stream->left = 0;
    stream->in_end = offset;
    stream->input_has_ended = false;
}

/* ---- decoded bytes ---- */

/* Decodes len bytes to buf, or discards them (buf NULL). */
static int decode(struct stream *stream, uint8_t *buf, uint64_t len,
                  struct error *err)
{
    while (len > 0) {
        size_t max = buf || len < STREAM_SCRATCH_BYTES ? (size_t)len
                                                       : STREAM_SCRATCH_BYTES;
        size_t got;

        if (stream->has_ended)
            return error_set(
                err, ERROR_FORMAT, 0,
                "%sholds %" PRIu64 " bytes, fewer than the expected %" PRIu64,
                stream->ops->name, stream->out, stream->size_bytes);
        if (stream->ops->step(stream, buf ? buf : stream->scratch, max, &got,
                              err) < 0)
            return -1;
        len -= got;
        if (buf)
            buf += got;
    }
    return 0;
}

/* The disk ends here, and so must the stream. */
static int expect_end(struct stream *stream, struct error *err)
{
    while (!stream->has_ended) {
        size_t got;

        if (stream->ops->step(stream, stream->scratch, 1, &got, err) < 0)
            return -1;
        if (got > 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "%sholds more than the expected %" PRIu64 " bytes",
                             stream->ops->name, stream->size_bytes);
    }
    return 0;
}

int stream_read(struct stream *stream, void *buf, size_t len, uint64_t offset,
                struct error *err)
{
    if (offset != stream->out && stream->ops->seek) {
        stream->has_ended = false;
        if (stream->ops->seek(stream, offset, err) < 0)
            return -1;
    }
    if (offset < stream->out)
        return error_set(err, ERROR_FORMAT, 0, "%sis read in order only",
                         stream->ops->name);
    if (decode(stream, NULL, offset - stream->out, err) < 0 ||
        decode(stream, buf, len, err) < 0)
        return -1;
    return stream->out == stream->size_bytes ? expect_end(stream, err) : 0;
}

ssize_t stream_next(struct stream *stream, void *buf, size_t len,
                    struct error *err)
{
    size_t got = 0;

    while (got == 0 && !stream->has_ended)
        if (stream->ops->step(stream, buf, len, &got, err) < 0)
            return -1;
    if (stream->has_ended)
        stream->size_bytes = stream->out;
    return (ssize_t)got;
}

int stream_prove(struct stream *stream, struct error *err)
{
    if (stream->is_proven || stream->has_ended)
        return 0;
    if (stream->ops->prove)
        return stream->ops->prove(stream, err);
    if (decode(stream, NULL, stream->size_bytes - stream->out, err) < 0)
        return -1;
    return expect_end(stream, err);
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    stream->ops->close(stream);
    file_close(&stream->file);
    free(stream->input);
    free(stream->scratch);
    free(stream);
}
