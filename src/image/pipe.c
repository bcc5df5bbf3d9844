#include "image/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the head no more is read than was asked for, and little at once, so
 * that a probe does not run out of it. */
#define HEAD_STEP_BYTES 4096U

struct pipe {
    int fd;
    uint64_t position; /* bytes read from fd so far */
    size_t head_len;   /* of them kept */
    uint8_t head[PIPE_HEAD_BYTES];
};

struct pipe *pipe_open(int fd)
{
    struct pipe *pipe = calloc(1, sizeof(*pipe));

    if (pipe)
        pipe->fd = fd;
    return pipe;
}

void pipe_close(struct pipe *pipe)
{
    free(pipe);
}

static ssize_t read_some(int fd, void *buf, size_t len)
{
    ssize_t n;

    do
        n = read(fd, buf, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Reads on into the head, as far as it has room. */
static ssize_t grow_head(struct pipe *pipe)
{
    size_t room = PIPE_HEAD_BYTES - pipe->head_len;
    ssize_t n = read_some(pipe->fd, pipe->head + pipe->head_len,
                          room < HEAD_STEP_BYTES ? room : HEAD_STEP_BYTES);

    if (n > 0) {
        pipe->head_len += (size_t)n;
        pipe->position += (uint64_t)n;
    }
    return n;
}

ssize_t pipe_read(struct pipe *pipe, void *buf, size_t len, uint64_t offset)
{
    ssize_t n;

    if (offset == pipe->position && pipe->head_len < PIPE_HEAD_BYTES) {
        n = grow_head(pipe);
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
        return -ESPIPE;
    n = read_some(pipe->fd, buf, len);
    if (n > 0)
        pipe->position += (uint64_t)n;
    return n;
}
