#include "image/qcow2/qcow2.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "image/extent_gather.h"
#include "image/io_split.h"
#include "image/qcow2/batch_read.h"
#include "image/qcow2/check.h"
#include "image/qcow2/compressed.h"
#include "image/qcow2/cross_check.h"
#include "image/qcow2/map.h"
#include "image/sparse_map.h"
#include "image/stream/source_file.h"
#include "image/table_cache.h"

/* Page cache that each lane uses to read compressed clusters. */
#define PACKED_WINDOW_BYTES (UINT64_C(4) << 20)

struct qcow2 {
    struct image image; /* first: callers hold this */
    struct file file;
    struct file cached; /* its fd, opened through the page cache */
    struct file_window packed_window;
    struct file_window data_window;
    struct sparse_map holes; /* of the host file */
    struct image_host host;  /* for compressed clusters */
    struct qcow2_map map;
    /* For a stream: owned by the first image, read by all lanes. */
    const struct table_cache *tables;
    struct table_cache *owned_tables;
    struct qcow2_compressed *packed; /* owned; NULL until one is met */
    struct io_split *split;          /* owned; NULL: map only */
    int stop_fd;                     /* as in the options */
};

/*
 * Reads compressed clusters through the page cache, and drops them afterwards.
 */
static int read_packed(void *opaque, void *buf, size_t len, uint64_t offset,
                       struct error *err)
{
    struct qcow2 *qcow2 = opaque;

    if (source_file_read_all(&qcow2->file, buf, len, offset, err) < 0)
        return -1;
    file_window_read(&qcow2->packed_window, &qcow2->cached, offset, len);
    return 0;
}

/* Decoding is the main cost: tables are read from the stream only once. */
static int read_table(void *opaque, void *buf, size_t len, uint64_t offset,
                      struct error *err)
{
    struct qcow2 *qcow2 = opaque;

    if (table_cache_get(qcow2->tables, buf, len, offset))
        return 0;
    if (stream_read(qcow2->image.stream, buf, len, offset, err) < 0)
        return -1;
    if (qcow2->owned_tables)
        table_cache_keep(qcow2->owned_tables, buf, len, offset);
    return 0;
}

/* Bytes at the start of run that lie inside the backing image. */
static uint64_t backing_reach(const struct image *backing,
                              const struct qcow2_run *run)
{
    if (!backing || run->offset >= backing->virtual_bytes)
        return 0;
    return run->length < backing->virtual_bytes - run->offset
               ? run->length
               : backing->virtual_bytes - run->offset;
}

/* The backing file provides unallocated clusters; without one they are zero. */
static int add_unallocated(struct qcow2 *qcow2, const struct qcow2_run *run,
                           struct extent_gather *gather, struct error *err)
{
    uint64_t inside = backing_reach(qcow2->image.backing, run);
    struct extent rest = { run->offset + inside, run->length - inside,
                           EXTENT_ZERO };
    struct extent_list list = { 0 };
    int r = 0;

    if (inside > 0)
        r = image_map(qcow2->image.backing, run->offset, inside, &list, err);
    for (size_t i = 0; i < list.count && r == 0; i++)
        r = extent_gather_add(gather, &list.items[i], err);
    extent_list_fini(&list);
    if (r == 0 && rest.length > 0)
        r = extent_gather_add(gather, &rest, err);
    return r;
}

static int add_run(struct qcow2 *qcow2, const struct qcow2_run *run,
                   struct extent_gather *gather, struct error *err)
{
    struct extent piece = { run->offset, run->length, EXTENT_DATA };

    switch (run->kind) {
    case QCOW2_UNALLOCATED: return add_unallocated(qcow2, run, gather, err);
    case QCOW2_ZERO: piece.kind = EXTENT_ZERO; break;
    case QCOW2_DATA:
        if (!qcow2->image.stream)
            return extent_gather_add_stored(gather, &qcow2->holes, &piece,
                                            run->host_offset, qcow2->image.path,
                                            err);
        break;
    case QCOW2_COMPRESSED: break;
    }
    return extent_gather_add(gather, &piece, err);
}

static int qcow2_map_range(struct image *img, uint64_t offset, uint64_t length,
                           struct extent_list *out, struct error *err)
{
    struct qcow2 *qcow2 = (struct qcow2 *)img;
    struct extent_gather gather = { out, img->virtual_bytes, { 0 } };
    uint64_t end = offset + length;
    struct qcow2_run run;

    for (; offset < end; offset += run.length) {
        if (qcow2_map_at(&qcow2->map, offset, end, &run, err) < 0 ||
            add_run(qcow2, &run, &gather, err) < 0)
            return error_wrap(err, "%s", img->path);
    }
    return extent_gather_end(&gather, err);
}

static int read_unallocated(struct qcow2 *qcow2, const struct qcow2_run *run,
                            uint8_t *buf, struct io_split_whole *whole,
                            struct error *err)
{
    size_t inside = (size_t)backing_reach(qcow2->image.backing, run);

    memset(buf + inside, 0, (size_t)run->length - inside);
    if (inside > 0 && io_split_add_image(whole, qcow2->image.backing, buf,
                                         inside, run->offset) < 0)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read a cluster");
    return 0;
}

static int open_packed(struct qcow2 *qcow2, struct error *err)
{
    if (!qcow2->packed)
        qcow2->packed = qcow2_compressed_open(&qcow2->map.header);
    return qcow2->packed
               ? 0
               : error_set(err, ERROR_SYSTEM, ENOMEM, "unpack a cluster");
}

/* Starts or completes the part of a read that lies in run. */
static int read_run(struct qcow2 *qcow2, const struct qcow2_run *run,
                    uint8_t *buf, struct io_split_whole *whole,
                    struct error *err)
{
    size_t len = (size_t)run->length;
    int r;

    switch (run->kind) {
    case QCOW2_UNALLOCATED:
        return read_unallocated(qcow2, run, buf, whole, err);
    case QCOW2_ZERO: memset(buf, 0, len); return 0;
    case QCOW2_DATA:
        if (qcow2->image.stream)
            return stream_read(qcow2->image.stream, buf, len, run->host_offset,
                               err);
        /* As in raw: the range that this drops is a window earlier. */
        file_window_read(&qcow2->data_window, &qcow2->file, run->host_offset,
                         len);
        r = io_split_add(whole, &qcow2->file, buf, len, run->host_offset);
        return r < 0 ? error_set(err, ERROR_SYSTEM, -r, "read a cluster") : 0;
    case QCOW2_COMPRESSED:
        if (open_packed(qcow2, err) < 0)
            return -1;
        return qcow2_compressed_read(qcow2->packed, &qcow2->host, run, buf,
                                     err);
    }
    abort(); /* a run is of one of the four kinds */
}

static void qcow2_read(struct image *img, struct io *io)
{
    struct qcow2 *qcow2 = (struct qcow2 *)img;
    struct io_split_whole *whole = io_split_begin(qcow2->split, io);
    uint64_t end = io->offset + io->len;
    struct qcow2_run run;
    struct error err;
    int result = 0;

    if (!whole)
        return;
    for (uint64_t at = io->offset; at < end && result == 0; at += run.length) {
        if (qcow2_map_at(&qcow2->map, at, end, &run, &err) < 0 ||
            read_run(qcow2, &run, io->buf + (at - io->offset), whole, &err) < 0)
            result = image_fail(img, &err);
    }
    io_split_end(whole, result);
}

int qcow2_read_chunks(struct image *img, const uint64_t *chunks, size_t count,
                      uint8_t *buf, struct error *err)
{
    struct qcow2 *qcow2 = (struct qcow2 *)img;
    struct qcow2_batch gather = {
        .map = &qcow2->map,
        .host = &qcow2->host,
        .stop_fd = qcow2->stop_fd,
    };

    assert(!img->backing);
    if (open_packed(qcow2, err) < 0)
        return -1;
    gather.packed = qcow2->packed;
    return qcow2_batch(&gather, chunks, count, buf, err);
}

static int qcow2_finish(struct image *img, struct error *err)
{
    if (img->stream && stream_prove(img->stream, err) < 0)
        return error_wrap(err, "%s", img->path);
    return 0;
}

static void qcow2_close(struct image *img)
{
    struct qcow2 *qcow2 = (struct qcow2 *)img;

    qcow2_compressed_close(qcow2->packed);
    io_split_close(qcow2->split);
    qcow2_map_fini(&qcow2->map);
    table_cache_close(qcow2->owned_tables);
    file_close(&qcow2->file);
    free(qcow2);
}

static const struct image_ops qcow2_ops = {
    .name = "qcow2",
    .map = qcow2_map_range,
    .read = qcow2_read,
    .finish = qcow2_finish,
    .close = qcow2_close,
};

/* Chooses the host of the data; *tables: that of the map. */
static int choose_host(struct qcow2 *qcow2, const struct image *like,
                       struct image_host *tables, struct error *err)
{
    struct stream *stream = qcow2->image.stream;

    qcow2->host = *tables = image_host_of(&qcow2->file, stream);
    if (!stream) {
        qcow2->host.read = read_packed;
        qcow2->host.opaque = qcow2;
        return 0;
    }
    stream->reads_in_part = true;
    tables->read = read_table;
    tables->opaque = qcow2;
    if (like) {
        qcow2->tables = ((const struct qcow2 *)like)->tables;
        return 0;
    }
    qcow2->tables = qcow2->owned_tables = table_cache_open();
    return qcow2->tables ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "open");
}

static void log_found(const struct qcow2 *qcow2,
                      const struct qcow2_summary *found, int compared)
{
    const struct qcow2_header *header = &qcow2->map.header;
    char cluster[32], disk[32], data[32];

    log_info("%s: qcow2 version %" PRIu32 ", clusters of %s, disk of %s, %s "
             "in plain clusters, %" PRIu64 " compressed clusters, %d compared "
             "with libqcow%s%s",
             qcow2->image.path, header->version,
             format_bytes(cluster, sizeof(cluster), header->cluster_bytes),
             format_bytes(disk, sizeof(disk), header->virtual_bytes),
             format_bytes(data, sizeof(data), found->data_bytes),
             found->compressed_clusters, compared,
             header->is_dirty ? ", not closed cleanly" : "",
             found->overlaps_checked ? "" : ", too large to look for overlaps");
}

/* Checks the whole image before any of it is used. */
static int check_image(struct qcow2 *qcow2, unsigned samples, struct error *err)
{
    struct qcow2_summary found;
    int compared = 0;

    if (qcow2_check(&qcow2->map, &found, err) < 0)
        return -1;
    /* In a stream, random reads cost more than they prove.  Without the
     * backing file, libqcow reads nothing. */
    if (!qcow2->image.stream && !qcow2->image.backing)
        compared = qcow2_cross_check_look(&qcow2->map, &qcow2->host, &found,
                                          samples, qcow2->image.path, err);
    if (compared < 0)
        return -1;
    log_found(qcow2, &found, compared);
    if (found.compressed_clusters > 0)
        qcow2->image.is_decoded = true;
    return 0;
}

/*
 * The holes of the host file, if there is one, and those of the backing file.
 */
static void open_holes(struct qcow2 *qcow2, const struct image_options *options)
{
    struct image *img = &qcow2->image;

    if (!img->stream) {
        sparse_map_init(&qcow2->holes, &qcow2->file);
        if (options->like)
            sparse_map_learn(&qcow2->holes,
                             &((const struct qcow2 *)options->like)->holes);
        else
            sparse_map_check(&qcow2->holes, options->holes, options->path);
    }
    img->reads_holes = qcow2->holes.reads_holes ||
                       (img->backing && img->backing->reads_holes);
}

static int open_parts(struct qcow2 *qcow2, const struct image_options *options,
                      const struct qcow2_header *header, struct error *err)
{
    struct image_host tables;

    if (choose_host(qcow2, options->like, &tables, err) < 0 ||
        qcow2_map_init(&qcow2->map, &tables, header, err) < 0)
        return -1;
    open_holes(qcow2, options);
    if (!options->like && check_image(qcow2, options->cross_check, err) < 0)
        return -1;
    if (!options->queue)
        return 0;
    qcow2->split = io_split_open(options->queue);
    return qcow2->split ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "open");
}

int qcow2_open(struct layer *layer, struct image **img, struct error *err)
{
    const struct image_options *options = layer->options;
    const struct qcow2_header *header = layer->header.own;
    struct qcow2 *qcow2 = calloc(1, sizeof(*qcow2));

    if (!qcow2)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    image_init(&qcow2->image, &qcow2_ops, layer);
    qcow2->image.virtual_bytes = header->virtual_bytes;
    qcow2->file = file_take(&layer->file);
    qcow2->stop_fd = options->stop_fd;
    qcow2->cached = qcow2->file;
    qcow2->cached.mode = CW_IO_MODE_BUFFERED;
    if (qcow2->cached.window_bytes > PACKED_WINDOW_BYTES)
        qcow2->cached.window_bytes = PACKED_WINDOW_BYTES;
    *img = &qcow2->image;
    if (open_parts(qcow2, options, header, err) == 0)
        return 0;
    image_close(&qcow2->image);
    return error_wrap(err, "%s", options->path);
}

int qcow2_describe(const struct image_host *host, struct format_header *header,
                   struct error *err)
{
    struct qcow2_header *own = malloc(sizeof(*own));

    header->own = own;
    if (!own)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: open");
    if (qcow2_header_read(host, own, err) < 0)
        return -1;
    header->virtual_bytes = own->virtual_bytes;
    header->backing_name = own->backing_name[0] ? own->backing_name : NULL;
    header->backing_format = own->backing_format;
    return 0;
}
