#include "image/stream/peek_pipe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In the head, reads are small and never longer than requested, so that a
 * probe does not exhaust it. */
#define HEAD_STEP_BYTES 4096U

struct peek_pipe {
    struct byte_source input;
    bool has_ended;    /* it is not read again */
    uint64_t position; /* bytes it has returned so far */
    size_t head_len;   /* bytes kept in the head */
    uint8_t head[PEEK_PIPE_HEAD_BYTES];
};

struct peek_pipe *peek_pipe_open(const struct byte_source *input)
{
    struct peek_pipe *pipe = calloc(1, sizeof(*pipe));

    if (pipe)
        pipe->input = *input;
    return pipe;
}

void peek_pipe_close(struct peek_pipe *pipe)
{
    if (!pipe)
        return;
    if (pipe->input.close)
        pipe->input.close(pipe->input.opaque);
    free(pipe);
}

static ssize_t read_some(struct peek_pipe *pipe, void *buf, size_t len,
                         struct error *err)
{
    ssize_t n = 0;

    if (!pipe->has_ended)
        n = pipe->input.read(pipe->input.opaque, buf, len, err);
    if (n == 0)
        pipe->has_ended = true;
    if (n > 0)
        pipe->position += (uint64_t)n;
    return n;
}

/* Reads more into the head, as far as there is room. */
static ssize_t grow_head(struct peek_pipe *pipe, struct error *err)
{
    size_t room = PEEK_PIPE_HEAD_BYTES - pipe->head_len;
    ssize_t n = read_some(pipe, pipe->head + pipe->head_len,
                          room < HEAD_STEP_BYTES ? room : HEAD_STEP_BYTES, err);

    if (n > 0)
        pipe->head_len += (size_t)n;
    return n;
}

ssize_t peek_pipe_read(struct peek_pipe *pipe, void *buf, size_t len,
                       uint64_t offset, struct error *err)
{
    ssize_t n;

    if (offset == pipe->position && pipe->head_len < PEEK_PIPE_HEAD_BYTES) {
        n = grow_head(pipe, err);
        if (n <= 0)
            return n;
    }
    if (offset < pipe->head_len && pipe->position == pipe->head_len) {
        if (len > pipe->head_len - offset)
            len = pipe->head_len - (size_t)offset;
        memcpy(buf, pipe->head + offset, len);
        return (ssize_t)len;
    }
    if (offset < pipe->head_len || offset != pipe->position)
        return error_set(err, ERROR_SOURCE_IO, ESPIPE,
                         "read at %" PRIu64 " of a pipe at position %" PRIu64,
                         offset, pipe->position);
    return read_some(pipe, buf, len, err);
}
