#include "image/stream/decoders.h"
#include "image/stream/peek_pipe.h"

/* Reads past the input buffer: nothing has to be decoded. */
static int plain_step(struct stream *stream, uint8_t *buf, size_t len,
                      size_t *got, struct error *err)
{
    ssize_t n = peek_pipe_read(stream->pipe, buf, len, stream->out, err);

    if (n < 0)
        return -1;
    stream->has_ended = n == 0;
    stream->out += (uint64_t)n;
    *got = (size_t)n;
    return 0;
}

/* Seeking back works within the head of the pipe; else the pipe fails. */
static int plain_seek(struct stream *stream, uint64_t offset, struct error *err)
{
    (void)err;
    stream->out = offset;
    return 0;
}

static void plain_close(struct stream *stream)
{
    (void)stream;
}

static const struct stream_ops plain_ops = {
    .name = "",
    .step = plain_step,
    .seek = plain_seek,
    .close = plain_close,
};

int plain_open(struct peek_pipe *pipe, uint64_t size_bytes,
               struct stream **stream, struct error *err)
{
    struct file none = FILE_CLOSED;

    *stream = stream_create(sizeof(**stream), &plain_ops, &none, pipe, err);
    if (!*stream)
        return -1;
    (*stream)->size_bytes = size_bytes;
    (*stream)->host_bytes = size_bytes;
    (*stream)->is_sequential = true;
    return 0;
}
