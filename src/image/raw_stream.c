#include "image/raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/format.h"
#include "image/probe.h"

struct raw_stream {
    struct image image;     /* first: callers hold this */
    struct io_queue *queue; /* borrowed */
    bool is_guess;          /* raw is the default, not the user's choice */
};

static int raw_stream_map(struct image *img, uint64_t offset, uint64_t length,
                          struct extent_list *out, struct error *err)
{
    (void)img;
    return extent_list_add(out, offset, length, EXTENT_DATA, err);
}

/* A footer is known only when the end of the stream has been read. */
static int check_end(const struct raw_stream *streamed, const struct io *io,
                     struct error *err)
{
    uint64_t size_bytes = streamed->image.stream->size_bytes;
    struct probe probe;
    size_t len;

    if (!streamed->is_guess || io->len < size_bytes - io->offset)
        return 0;
    len = (size_t)(size_bytes - io->offset);
    if (len < PROBE_TAIL_BYTES)
        return 0;
    probe = probe_content(NULL, 0, io->buf + len - PROBE_TAIL_BYTES,
                          PROBE_TAIL_BYTES);
    if (probe.kind == PROBE_RAW)
        return 0;
    if (probe.kind == PROBE_IMAGE)
        return error_set(err, ERROR_FORMAT, 0,
                         "ends like %s, which only shows at the end: give "
                         "--format=%s, or --format=raw if these bytes are the "
                         "disk",
                         probe.name, format_of(probe.format)->name);
    return error_set(err, ERROR_FORMAT, 0,
                     "ends like %s, which is not supported; convert it, or "
                     "give --format=raw if these bytes are the disk",
                     probe.name);
}

static void raw_stream_read(struct image *img, struct io *io)
{
    struct raw_stream *streamed = (struct raw_stream *)img;
    uint64_t left = img->stream->size_bytes - io->offset;
    size_t len = io->len < left ? io->len : (size_t)left;
    struct error err;
    int r = stream_read(img->stream, io->buf, len, io->offset, &err);

    memset(io->buf + len, 0, io->len - len);
    if (r == 0)
        r = check_end(streamed, io, &err);
    io_queue_post(streamed->queue, io, r < 0 ? image_fail(img, &err) : 0);
}

static int raw_stream_finish(struct image *img, struct error *err)
{
    if (stream_prove(img->stream, err) < 0)
        return error_wrap(err, "%s", img->path);
    return 0;
}

static void raw_stream_close(struct image *img)
{
    free(img);
}

static const struct image_ops raw_stream_ops = {
    .name = "streamed",
    .map = raw_stream_map,
    .read = raw_stream_read,
    .finish = raw_stream_finish,
    .close = raw_stream_close,
};

int raw_stream_open(struct layer *layer, struct image **img, struct error *err)
{
    const struct image_options *options = layer->options;
    struct raw_stream *streamed = calloc(1, sizeof(*streamed));
    const struct stream *stream = layer->stream;

    if (!streamed)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    image_init(&streamed->image, &raw_stream_ops, layer);
    streamed->image.virtual_bytes = stream->size_bytes;
    streamed->image.block_bytes = stream->block_bytes;
    /* With a single block, every lane would decode all of it. */
    if (stream->block_bytes >= stream->size_bytes)
        streamed->image.is_sequential = true;
    streamed->queue = options->queue;
    streamed->is_guess = options->format == CW_FORMAT_AUTO;
    *img = &streamed->image;
    return 0;
}
