/*
 * stream.h - the bytes inside a compressed container, at any offset, at a
 * price: going back means decoding again from the last place that can be
 * returned to.  Belongs to one thread.
 */
#ifndef CW_IMAGE_STREAM_H
#define CW_IMAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/file.h"

struct pipe;
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
     * Verifies the checksum behind the bytes read last, decoding on to where
     * it stands.  Fails as read() does.
     */
    int (*prove)(struct stream *stream, struct error *err);

    /* Frees stream.  Tolerates a half-opened one. */
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
    struct pipe *pipe;    /* it comes through, NULL: from a file; borrowed */
    uint64_t size_bytes;  /* when decoded; fixed once open */
    uint64_t host_bytes;  /* of the container, for reports */
    enum file_mode mode;  /* how that is read */
    uint64_t block_bytes; /* decoded from their beginning; 0: no matter */
    bool is_sequential;   /* only reading forward is cheap */

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
