#include "image/qcow2/sequential.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "image/qcow2/chunk_assembly.h"
#include "image/qcow2/qcow2.h"
#include "image/qcow2/sequential_parser.h"
#include "image/stream/decoders.h"
#include "image/stream/source_file.h"
#include "io/spool.h"
#include "plan/chunk_grid.h"

#define NOTHING_NAMED UINT64_MAX
/* Missed chunks that are fetched together.  They use the memory in which the
 * first pass has held chunks. */
#define TOGETHER (CHUNK_ASSEMBLY_BYTES / CHUNK_BYTES)

struct once {
    struct image image;           /* first: callers hold this */
    struct image_options options; /* for the second reading */
    struct qcow2_header header;
    struct qcow2_parser *pass; /* owned; NULL: nothing is read */
    struct file file;          /* for random access; or closed */
    struct spool *spool;       /* owned; of a pipe, for the same, or NULL */
    struct image *again;       /* owned; NULL until a chunk was missed */
    uint64_t named;            /* chunk, or NOTHING_NAMED */

    /* Missed chunks that have been fetched, ascending. */
    uint64_t fetched[TOGETHER];
    size_t fetched_count;
    size_t at;      /* index of the named one */
    uint8_t *bytes; /* owned; the content of all of them */
};

/* ---- missed chunks ---- */

/* Opens a stream or file with random access, after the pass has reached the
 * end. */
static int find_container(struct once *once, struct layer *layer,
                          struct error *err)
{
    if (once->spool) {
        uint64_t size_bytes = once->image.stream->size_bytes;

        stream_close(TAKE_PTR(once->image.stream));
        return spool_share(once->spool, size_bytes, &layer->file, err);
    }
    if (once->file.fd < 0) {
        layer->stream = TAKE_PTR(once->image.stream);
        return 0;
    }
    stream_close(TAKE_PTR(once->image.stream)); /* and its memory */
    return xz_open(&once->file, &layer->stream, err);
}

static int open_again(struct once *once, struct error *err)
{
    struct layer layer = { .options = &once->options, .file = FILE_CLOSED };
    uint64_t missed = chunk_bitmap_count(qcow2_parser_missed(once->pass));
    int r;

    if (qcow2_parser_drain(once->pass, err) < 0)
        return -1;
    if (once->spool)
        log_info("%s: %" PRIu64 " chunks came before the tables that refer to "
                 "them, or too far out of order: reading them from scratch "
                 "space",
                 once->image.path, missed);
    else
        log_info("%s: %" PRIu64 " chunks came before the tables that refer to "
                 "them, or too far out of order: decoding them again, in up "
                 "to %" PRIu64 " passes; qemu-img convert puts an image in "
                 "order",
                 once->image.path, missed, (missed + TOGETHER - 1) / TOGETHER);
    once->options.like = NULL;
    once->options.cross_check = 0;
    layer.header.own = malloc(sizeof(once->header));
    if (!layer.header.own)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read again");
    memcpy(layer.header.own, &once->header, sizeof(once->header));
    r = find_container(once, &layer, err);
    if (r == 0)
        r = qcow2_open(&layer, &once->again, err);
    free(layer.header.own);
    stream_close(layer.stream);
    file_close(&layer.file);
    return r;
}

/* Fetches the next group of missed chunks. */
static int fetch(struct once *once, struct error *err)
{
    const struct chunk_bitmap *missed = qcow2_parser_missed(once->pass);
    uint64_t from = once->again ? once->named + 1 : 0, count;

    once->at = once->fetched_count = 0;
    while (once->fetched_count < TOGETHER &&
           chunk_bitmap_next(missed, from, &from, &count))
        once->fetched[once->fetched_count++] = from++;
    if (once->fetched_count == 0)
        return 0;
    if (!once->again && open_again(once, err) < 0)
        return -1;
    if (!once->bytes)
        once->bytes = malloc(TOGETHER * CHUNK_BYTES);
    if (!once->bytes)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read again");
    return qcow2_read_chunks(once->again, once->fetched, once->fetched_count,
                             once->bytes, err);
}

static int next_missed(struct once *once, uint64_t *chunk, struct error *err)
{
    once->at++;
    if (once->at >= once->fetched_count && fetch(once, err) < 0)
        return -1;
    if (once->fetched_count == 0)
        return 0;
    once->named = *chunk = once->fetched[once->at];
    return 1;
}

/* ---- the image ---- */

static int once_next(struct image *img, uint64_t *chunk, struct error *err)
{
    struct once *once = (struct once *)img;
    int r = 0;

    if (!once->again)
        r = qcow2_parser_next(once->pass, &once->named, err);
    *chunk = once->named;
    if (r == 0)
        r = next_missed(once, chunk, err);
    return r < 0 ? error_wrap(err, "%s", img->path) : r;
}

static int once_map(struct image *img, uint64_t offset, uint64_t length,
                    struct extent_list *out, struct error *err)
{
    struct once *once = (struct once *)img;
    bool is_zero = once->pass && offset / CHUNK_BYTES == once->named &&
                   qcow2_parser_is_zero(once->pass);

    if (once->again)
        return image_map(once->again, offset, length, out, err);
    return extent_list_add(out, offset, length,
                           is_zero ? EXTENT_ZERO : EXTENT_DATA, err);
}

static void once_read(struct image *img, struct io *io)
{
    struct once *once = (struct once *)img;
    struct error err;
    int r;

    if (once->again) {
        assert(io->offset / CHUNK_BYTES == once->named);
        memcpy(io->buf,
               once->bytes + once->at * CHUNK_BYTES + io->offset % CHUNK_BYTES,
               io->len);
        io_queue_post(once->options.queue, io, 0);
        return;
    }
    assert(io->offset == once->named * CHUNK_BYTES &&
           io->len == chunk_grid_length(img->virtual_bytes, once->named));
    r = qcow2_parser_read(once->pass, io->buf, &err);
    io_queue_post(once->options.queue, io, r < 0 ? image_fail(img, &err) : 0);
}

static int once_finish(struct image *img, struct error *err)
{
    struct once *once = (struct once *)img;

    if (once->again)
        return image_finish(once->again, err);
    if (qcow2_parser_drain(once->pass, err) < 0)
        return error_wrap(err, "%s", img->path);
    return 0;
}

static void once_close(struct image *img)
{
    struct once *once = (struct once *)img;

    image_close(once->again);
    qcow2_parser_close(once->pass);
    file_close(&once->file);
    spool_close(once->spool);
    free(once->bytes);
    free(once);
}

static const struct image_ops once_ops = {
    .name = "qcow2 in order",
    .map = once_map,
    .next = once_next,
    .read = once_read,
    .finish = once_finish,
    .close = once_close,
};

static void log_sequential(const struct once *once)
{
    const struct qcow2_header *header = &once->header;
    char cluster[32], disk[32];

    log_info("%s: qcow2 version %" PRIu32 ", clusters of %s, disk of %s%s; "
             "read in one pass, as it comes, not compared with libqcow",
             once->image.path, header->version,
             format_bytes(cluster, sizeof(cluster), header->cluster_bytes),
             format_bytes(disk, sizeof(disk), header->virtual_bytes),
             header->is_dirty ? ", not closed cleanly" : "");
}

/* What may be needed again of a pipe is kept.  Few images need it: without
 * room for it, they are read in one pass. */
static void open_spool(struct once *once)
{
    const struct image_options *options = &once->options;
    struct error err;

    if (options->scratch_dir && once->image.stream->pipe &&
        spool_open(&once->spool, options->scratch_dir,
                   options->scratch_has_disk ? once->header.virtual_bytes : 0,
                   &err) < 0)
        log_warn("%s: %s: reading it in one pass", options->path, err.text);
}

int qcow2_sequential_open(struct layer *layer, struct image **img,
                          struct error *err)
{
    const struct image_options *options = layer->options;
    struct once *once = calloc(1, sizeof(*once));

    if (!once)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    if (options->like)
        once->header = ((const struct once *)options->like)->header;
    else
        memcpy(&once->header, layer->header.own, sizeof(once->header));
    image_init(&once->image, &once_ops, layer);
    once->image.virtual_bytes = once->header.virtual_bytes;
    once->image.mode = CW_IO_MODE_BUFFERED;
    once->image.is_sequential = once->image.is_decoded = true;
    once->file = (struct file)FILE_CLOSED;
    if (once->image.stream)
        once->file = file_take(&layer->file);
    once->options = *options;
    once->named = NOTHING_NAMED;
    *img = &once->image;
    if (!options->like)
        log_sequential(once);
    if (!once->image.stream)
        return 0;
    open_spool(once);
    if (qcow2_parser_open(once->image.stream, &once->header,
                          once->spool || !once->image.stream->pipe, &once->pass,
                          err) == 0) {
        qcow2_parser_spool(once->pass, once->spool);
        return 0;
    }
    image_close(&once->image);
    return error_wrap(err, "%s", options->path);
}
