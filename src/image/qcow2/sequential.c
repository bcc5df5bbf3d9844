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
#include "image/stream/xz.h"
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
    struct image *again;       /* owned; NULL until a chunk was missed */
    uint64_t named;            /* chunk, or NOTHING_NAMED */

    /* Missed chunks that have been fetched, ascending. */
    uint64_t fetched[TOGETHER];
    size_t fetched_count;
    size_t at;      /* index of the named one */
    uint8_t *bytes; /* owned; the content of all of them */
};

static int read_head(void *opaque, void *buf, size_t len, uint64_t offset,
                     struct error *err)
{
    const uint8_t *head = opaque;

    if (offset > QCOW2_SEQUENTIAL_HEAD_BYTES ||
        len > QCOW2_SEQUENTIAL_HEAD_BYTES - offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: its header is longer than the %u bytes that "
                         "a stream is looked at; put it into a file",
                         QCOW2_SEQUENTIAL_HEAD_BYTES);
    memcpy(buf, head + offset, len);
    return 0;
}

int qcow2_sequential_header(const uint8_t *head, size_t head_len,
                            struct qcow2_header *header, struct error *err)
{
    AUTO_FREE uint8_t *bytes = calloc(1, QCOW2_SEQUENTIAL_HEAD_BYTES);
    struct qcow2_host host = {
        .read = read_head,
        .opaque = bytes,
        /* Only an end within the head is known. */
        .size_bytes = head_len < QCOW2_SEQUENTIAL_HEAD_BYTES ? head_len
                                                             : INT64_MAX,
    };

    if (!bytes)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: open");
    memcpy(bytes, head, head_len);
    return qcow2_header_read(&host, header, err);
}

/* ---- missed chunks ---- */

/* Opens a stream with random access, after one has been read to its end. */
static int find_stream(struct once *once, struct stream **stream,
                       struct error *err)
{
    if (once->file.fd < 0) {
        *stream = TAKE_PTR(once->image.stream);
        return 0;
    }
    stream_close(TAKE_PTR(once->image.stream)); /* and its memory */
    return xz_open(&once->file, stream, err);
}

static int open_again(struct once *once, struct error *err)
{
    struct image_options options = once->options;
    struct file none = FILE_CLOSED;
    struct stream *stream = NULL;
    uint64_t missed = chunk_bitmap_count(qcow2_parser_missed(once->pass));

    if (qcow2_parser_drain(once->pass, err) < 0)
        return -1;
    log_info("%s: %" PRIu64 " chunks went by before the tables that tell of "
             "them, or too far out of order: decoding those again, in up to "
             "%" PRIu64 " passes; what qemu-img convert makes of it needs none",
             options.path, missed, (missed + TOGETHER - 1) / TOGETHER);
    options.like = NULL;
    options.takes_any_order = false;
    if (find_stream(once, &stream, err) < 0 ||
        qcow2_open(&options, 0, &none, stream, &once->again, err) < 0)
        return -1;
    return 0;
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
    stream_close(img->stream);
    file_close(&once->file);
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

static void tell(const struct once *once)
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

int qcow2_sequential_open(const struct image_options *options,
                          const struct qcow2_header *header,
                          struct stream *stream, struct file *again,
                          struct image **img, struct error *err)
{
    struct once *once = calloc(1, sizeof(*once));

    if (!once) {
        stream_close(stream);
        file_close(again);
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    }
    once->file = *again;
    *again = (struct file)FILE_CLOSED;
    once->image = (struct image){
        .ops = &once_ops,
        .path = options->path,
        .format = IMAGE_FORMAT_QCOW2,
        .virtual_bytes = header->virtual_bytes,
        .host_bytes = stream ? stream->host_bytes : 0,
        .mode = FILE_MODE_BUFFERED,
        .is_sequential = true,
        .is_decoded = true,
        .stream = stream,
    };
    once->options = *options;
    once->header = *header;
    once->named = NOTHING_NAMED;
    if (!options->like)
        tell(once);
    if (stream && qcow2_parser_open(stream, header, !stream->pipe, &once->pass,
                                    err) < 0) {
        once_close(&once->image);
        return error_wrap(err, "%s", options->path);
    }
    *img = &once->image;
    return 0;
}

const struct qcow2_header *qcow2_sequential_like(const struct image *img)
{
    return img->ops == &once_ops ? &((const struct once *)img)->header : NULL;
}
