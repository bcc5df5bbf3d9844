/*
 * stream.h - the bytes inside a compressed container, at any offset, at a
 * price: going back means decoding again from the last place that can be
 * returned to.  Belongs to one thread.
 */
#ifndef CW_IMAGE_STREAM_STREAM_H
#define CW_IMAGE_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/file.h"

/* The size of a stream that is read with next(), until that has ended. */
#define STREAM_SIZE_UNKNOWN UINT64_MAX

struct peek_pipe;
struct stream;

struct stream_ops {
    /*
     * Fills buf with exactly len bytes at offset; all of them are inside
     * size_bytes.  Blocks.  Fails with ERROR_FORMAT (damaged, cut off, does
     * not match its checksum), ERROR_SOURCE_IO or ERROR_SYSTEM.
     */
    int (*read)(struct stream *stream, void *buf, size_t len, uint64_t offset,
                struct error *err);

    /*
     * Up to len bytes behind those of the last next(), at first from the
     * beginning; 0 at the end, which a container has only if all its
     * checksums are right.  Needs no size_bytes.  Fails as read() does, but
     * is not mixed with it before that end.
     */
    ssize_t (*next)(struct stream *stream, void *buf, size_t len,
                    struct error *err);

    /*
     * Verifies the checksum behind the bytes read last, decoding on to where
     * it stands.  Fails as read() does.
     */
    int (*prove)(struct stream *stream, struct error *err);

    /* Frees stream.  Tolerates a half-opened one. */
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
    struct peek_pipe *pipe; /* it comes through, NULL: from a file; borrowed */
    uint64_t size_bytes;    /* when decoded; fixed once open, or UNKNOWN */
    uint64_t host_bytes;    /* of the container, for reports */
    enum file_mode mode;    /* how that is read */
    uint64_t block_bytes;   /* decoded from their beginning; 0: no matter */
    bool is_sequential;     /* only reading forward is cheap */

    /* Set by a reader that leaves bytes out: what it did read is proven
     * before another place is read.  Who reads it all needs no such care:
     * the last byte before a checksum proves those in front of it. */
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
