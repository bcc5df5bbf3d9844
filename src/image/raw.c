#include "image/raw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/sparse_map.h"
#include "image/stream/source_file.h"

struct raw {
    struct image image; /* first: callers hold this */
    struct file file;
    struct sparse_map holes;
    struct file_window window;
    struct io_queue *queue; /* borrowed */
};

static int raw_map(struct image *img, uint64_t offset, uint64_t length,
                   struct extent_list *out, struct error *err)
{
    struct raw *raw = (struct raw *)img;
    uint64_t end = offset + length;

    while (offset < end) {
        struct extent run;
        int r = sparse_map_at(&raw->holes, offset, &run);

        if (r < 0)
            return error_set_at(err, ERROR_SOURCE_IO, -r, offset,
                                "look for holes of %s at %" PRIu64, img->path,
                                offset);
        if (offset + run.length == raw->file.size_bytes)
            run.length += img->padding_bytes;
        if (run.length > end - offset)
            run.length = end - offset;
        if (sparse_map_add_rounded(out, &run, img->virtual_bytes, err) < 0)
            return -1;
        offset += run.length;
    }
    return 0;
}

/* The last read of a file that ends inside a sector.  Synchronous, as it
 * happens once per disk.  Returns 0 or -errno. */
static int read_last(struct raw *raw, const struct io *io)
{
    size_t len = (size_t)(raw->file.size_bytes - io->offset);

    for (size_t done = 0; done < len;) {
        ssize_t n = source_file_read(&raw->file, io->buf + done, len - done,
                                     io->offset + done);

        if (n <= 0)
            return n < 0 ? (int)n : -ENODATA; /* the file was truncated */
        done += (size_t)n;
    }
    memset(io->buf + len, 0, io->len - len);
    return 0;
}

static void raw_read(struct image *img, struct io *io)
{
    struct raw *raw = (struct raw *)img;

    if (io->len > raw->file.size_bytes - io->offset) {
        io_queue_post(raw->queue, io, read_last(raw, io));
        return;
    }
    io->op = IO_READ;
    io->file = &raw->file;
    /* This range is not read yet, but the dropped one is a window earlier. */
    file_window_read(&raw->window, &raw->file, io->offset, io->len);
    io_queue_submit(raw->queue, io);
}

static void raw_close(struct image *img)
{
    struct raw *raw = (struct raw *)img;

    file_close(&raw->file);
    free(raw);
}

static const struct image_ops raw_ops = {
    .name = "raw",
    .map = raw_map,
    .read = raw_read,
    .close = raw_close,
};

int raw_open(struct layer *layer, struct image **img, struct error *err)
{
    const struct image_options *options = layer->options;
    struct raw *raw = calloc(1, sizeof(*raw));

    if (!raw)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    image_init(&raw->image, &raw_ops, layer);
    raw->file = file_take(&layer->file);
    raw->image.virtual_bytes = raw->file.size_bytes;
    sparse_map_init(&raw->holes, &raw->file);
    if (options->like && options->like->ops == &raw_ops)
        sparse_map_learn(&raw->holes,
                         &((const struct raw *)options->like)->holes);
    else
        sparse_map_check(&raw->holes, options->holes, options->path);
    raw->image.reads_holes = raw->holes.reads_holes;
    raw->queue = options->queue;
    *img = &raw->image;
    return 0;
}
