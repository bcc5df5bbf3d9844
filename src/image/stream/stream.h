/* stream.h - the bytes inside a compressed container, at any offset.  Seeking
 * back decodes again from the last restart point.  Belongs to one thread. */
#ifndef CW_IMAGE_STREAM_STREAM_H
#define CW_IMAGE_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/file.h"

/* The size of a stream that is read with next(), until its end is reached. */
#define STREAM_SIZE_UNKNOWN UINT64_MAX

struct peek_pipe;
struct stream;

struct stream_ops {
    /*
     * Fills buf with exactly len bytes at offset, all inside size_bytes.
     * Blocks.  Fails with ERROR_FORMAT (damaged, cut off, wrong checksum),
     * ERROR_SOURCE_IO or ERROR_SYSTEM.
     */
    int (*read)(struct stream *stream, void *buf, size_t len, uint64_t offset,
                struct error *err);

    /*
     * Reads up to len bytes after those of the last next(), at first from the
     * beginning.  Returns 0 at the end, and only if every checksum is right.
     * Needs no size_bytes.  Fails as read() does, and must not be mixed with
     * it before the end.
     */
    ssize_t (*next)(struct stream *stream, void *buf, size_t len,
                    struct error *err);

    /* Verifies the checksum of the bytes read last, decoding up to it.  Fails
     * as read() does. */
    int (*prove)(struct stream *stream, struct error *err);

    /* Frees stream.  Tolerates a half-opened one. */
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
    struct peek_pipe *pipe; /* borrowed; NULL: read from a file */
    uint64_t size_bytes;    /* decoded size; fixed once open, or UNKNOWN */
    uint64_t host_bytes;    /* of the container, for reports */
    enum file_mode mode;    /* how the container is read */
    uint64_t block_bytes;   /* decoded from their beginning; 0: any offset */
    bool is_sequential;     /* only reading forward is cheap */

    /*
     * Set by a reader that skips bytes: bytes it did read are proven before
     * the next seek.  A reader of everything does not need this: the last byte
     * before a checksum proves those before it.
     */
    bool reads_in_part;
};

static inline int stream_read(struct stream *stream, void *buf, size_t len,
                              uint64_t offset, struct error *err)
{
    return stream->ops->read(stream, buf, len, offset, err);
}

static inline ssize_t stream_next(struct stream *stream, void *buf, size_t len,
                                  struct error *err)
{
    return stream->ops->next(stream, buf, len, err);
}

static inline int stream_prove(struct stream *stream, struct error *err)
{
    return stream->ops->prove(stream, err);
}

static inline void stream_close(struct stream *stream)
{
    if (stream)
        stream->ops->close(stream);
}

#endif
