#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/format.h"
#include "image/stream/peek_pipe.h"
#include "image/stream/source_file.h"
#include "image/stream/stream.h"
#include "io/spool.h"

/* ---- the parts of an image ---- */

static int read_from_file(void *opaque, void *buf, size_t len, uint64_t offset,
                          struct error *err)
{
    return source_file_read_all(opaque, buf, len, offset, err);
}

static int read_from_stream(void *opaque, void *buf, size_t len,
                            uint64_t offset, struct error *err)
{
    return stream_read(opaque, buf, len, offset, err);
}

struct image_host image_host_of(struct file *file, struct stream *stream)
{
    if (stream)
        return (struct image_host){ read_from_stream, stream,
                                    stream->size_bytes };
    return (struct image_host){ read_from_file, file, file->size_bytes };
}

void image_init(struct image *img, const struct image_ops *ops,
                struct layer *layer)
{
    const struct stream *stream = layer->stream;
    const struct file *file = &layer->file;

    *img = (struct image){
        .ops = ops,
        .path = layer->options->path,
        .mode = stream ? stream->mode : file->mode,
        .is_sequential = stream && stream->is_sequential,
        .is_decoded = stream != NULL,
        .stream = TAKE_PTR(layer->stream),
        .backing = TAKE_PTR(layer->backing),
        .backing_path = TAKE_PTR(layer->backing_path),
    };
    if (stream)
        img->host_bytes = stream->host_bytes;
    else
        img->host_bytes = file->is_block_device ? file->size_bytes
                                                : file->allocated_bytes;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the chain of layers */
void image_close(struct image *img)
{
    struct image parts;

    if (!img)
        return;
    parts = *img;
    img->ops->close(img);
    stream_close(parts.stream);
    image_close(parts.backing);
    free(parts.backing_path);
    source_guard_close(parts.guard);
    peek_pipe_close(parts.pipe);
    spool_close(parts.spool);
}

int image_fail(struct image *img, struct error *err)
{
    error_wrap(err, "%s", img->path);
    if (img->failure.kind == ERROR_NONE)
        img->failure = *err;
    return -EIO;
}

int image_read_error(const struct image *img, const struct io *io,
                     struct error *err)
{
    const struct image *layer = img;

    while (layer->failure.kind == ERROR_NONE && layer->backing)
        layer = layer->backing;
    if (layer->failure.kind != ERROR_NONE) {
        *err = layer->failure;
        return -1;
    }
    if (io->result == -ENODATA)
        return error_set_at(err, ERROR_CHANGED, 0, io->offset,
                            "read %zu bytes at %" PRIu64
                            " of %s: the file has become shorter",
                            io->len, io->offset, img->path);
    return error_set_at(err, ERROR_SOURCE_IO, -io->result, io->offset,
                        "read %zu bytes at %" PRIu64 " of %s", io->len,
                        io->offset, img->path);
}
