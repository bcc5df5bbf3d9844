#include "image/block_map/block_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "image/extent_gather.h"
#include "image/io_split.h"
#include "image/sparse_map.h"
#include "image/stream/source_file.h"
#include "image/table_cache.h"

#define NO_BLOCK UINT64_MAX

struct block_image {
    struct image image; /* first: callers hold this */
    struct file file;
    struct file cached; /* its fd, opened through the page cache */
    struct file_window packed_window;
    struct file_window data_window;
    struct sparse_map holes; /* of the host file */
    struct block_map map;
    /* For a stream: owned by the first image, read by all lanes. */
    const struct table_cache *tables;
    struct table_cache *owned_tables;
    bool is_reading_tables; /* and no packed blocks */
    uint8_t *unpacked;      /* owned; one block; NULL until one is met */
    uint8_t *scratch;       /* owned; two blocks */
    uint64_t unpacked_at;   /* disk offset of its content */
    struct io_split *split; /* owned; NULL: map only */
};

/* Reads tables, and packed blocks, which it drops from the page cache. */
static int read_block_file(void *opaque, void *buf, size_t len, uint64_t offset,
                           struct error *err)
{
    struct block_image *disk = opaque;

    if (source_file_read_all(&disk->file, buf, len, offset, err) < 0)
        return -1;
    if (!disk->is_reading_tables)
        file_window_read(&disk->packed_window, &disk->cached, offset, len);
    return 0;
}

/* Decoding is the main cost: tables are read from the stream only once. */
static int read_block_stream(void *opaque, void *buf, size_t len,
                             uint64_t offset, struct error *err)
{
    struct block_image *disk = opaque;

    if (disk->is_reading_tables &&
        table_cache_get(disk->tables, buf, len, offset))
        return 0;
    if (stream_read(disk->image.stream, buf, len, offset, err) < 0)
        return -1;
    if (disk->is_reading_tables && disk->owned_tables)
        table_cache_keep(disk->owned_tables, buf, len, offset);
    return 0;
}

static int block_image_map(struct image *img, uint64_t offset, uint64_t length,
                           struct extent_list *out, struct error *err)
{
    struct block_image *disk = (struct block_image *)img;
    struct extent_gather gather = { out, img->virtual_bytes, { 0 } };
    uint64_t end = offset + length;
    struct block_run run;

    for (; offset < end; offset += run.length) {
        struct extent piece = { .offset = offset, .kind = EXTENT_DATA };
        int r = block_map_at(&disk->map, offset, end, &run, err);

        if (r < 0)
            return error_wrap(err, "%s", img->path);
        piece.length = run.length;
        if (run.kind == BLOCK_ZERO)
            piece.kind = EXTENT_ZERO;
        if (run.kind == BLOCK_DATA && !img->stream)
            r = extent_gather_add_stored(&gather, &disk->holes, &piece,
                                         run.host_offset, img->path, err);
        else
            r = extent_gather_add(&gather, &piece, err);
        if (r < 0)
            return -1;
    }
    return extent_gather_end(&gather, err);
}

static int allocate_unpacked(struct block_image *disk, struct error *err)
{
    if (disk->unpacked && disk->scratch)
        return 0;
    disk->unpacked_at = NO_BLOCK;
    free(disk->unpacked);
    disk->unpacked = malloc((size_t)disk->map.block_bytes);
    disk->scratch = malloc(2 * (size_t)disk->map.block_bytes);
    return disk->unpacked && disk->scratch
               ? 0
               : error_set(err, ERROR_SYSTEM, ENOMEM, "unpack a block");
}

/* The last block is kept, for callers that read it in pieces. */
static int read_packed_run(struct block_image *disk,
                           const struct block_run *run, uint8_t *buf,
                           struct error *err)
{
    uint64_t block_bytes = disk->map.block_bytes;
    uint64_t begin = run->offset / block_bytes * block_bytes;
    uint64_t len = disk->map.virtual_bytes - begin;

    if (allocate_unpacked(disk, err) < 0)
        return -1;
    if (len > block_bytes)
        len = block_bytes;
    if (disk->unpacked_at != begin) {
        int r;

        disk->unpacked_at = NO_BLOCK;
        disk->is_reading_tables = false;
        r = disk->map.format->unpack(&disk->map, run, disk->scratch,
                                     disk->unpacked, (size_t)len, err);
        disk->is_reading_tables = true;
        if (r < 0)
            return -1;
        disk->unpacked_at = begin;
    }
    memcpy(buf, disk->unpacked + (run->offset - begin), (size_t)run->length);
    return 0;
}

/* Starts or completes the part of a read that lies in run. */
static int read_block_run(struct block_image *disk, const struct block_run *run,
                          uint8_t *buf, struct io_split_whole *whole,
                          struct error *err)
{
    size_t len = (size_t)run->length;
    int r;

    switch (run->kind) {
    case BLOCK_ZERO: memset(buf, 0, len); return 0;
    case BLOCK_PACKED: return read_packed_run(disk, run, buf, err);
    case BLOCK_DATA: break;
    }
    if (disk->image.stream)
        return stream_read(disk->image.stream, buf, len, run->host_offset, err);
    /* As in raw: the range that this drops is a window earlier. */
    file_window_read(&disk->data_window, &disk->file, run->host_offset, len);
    r = io_split_add(whole, &disk->file, buf, len, run->host_offset);
    return r < 0 ? error_set(err, ERROR_SYSTEM, -r, "read a block") : 0;
}

static void block_image_read(struct image *img, struct io *io)
{
    struct block_image *disk = (struct block_image *)img;
    struct io_split_whole *whole = io_split_begin(disk->split, io);
    uint64_t end = io->offset + io->len;
    struct block_run run;
    struct error err;
    int result = 0;

    if (!whole)
        return;
    for (uint64_t at = io->offset; at < end && result == 0; at += run.length) {
        if (block_map_at(&disk->map, at, end, &run, &err) < 0 ||
            read_block_run(disk, &run, io->buf + (at - io->offset), whole,
                           &err) < 0)
            result = image_fail(img, &err);
    }
    io_split_end(whole, result);
}

static int block_image_finish(struct image *img, struct error *err)
{
    if (img->stream && stream_prove(img->stream, err) < 0)
        return error_wrap(err, "%s", img->path);
    return 0;
}

static void block_image_close(struct image *img)
{
    struct block_image *disk = (struct block_image *)img;

    io_split_close(disk->split);
    block_map_fini(&disk->map);
    table_cache_close(disk->owned_tables);
    free(disk->unpacked);
    free(disk->scratch);
    file_close(&disk->file);
    free(disk);
}

static const struct image_ops block_image_ops = {
    .name = "blocks",
    .map = block_image_map,
    .read = block_image_read,
    .finish = block_image_finish,
    .close = block_image_close,
};

static int open_block_map(struct block_image *disk,
                          const struct block_format *format,
                          const struct image *like, struct error *err)
{
    struct stream *stream = disk->image.stream;
    struct image_host host = image_host_of(&disk->file, stream);

    host.read = stream ? read_block_stream : read_block_file;
    host.opaque = disk;
    disk->is_reading_tables = true;
    if (stream)
        stream->reads_in_part = true;
    if (stream && like)
        disk->tables = ((const struct block_image *)like)->tables;
    else if (stream)
        disk->tables = disk->owned_tables = table_cache_open();
    if (stream && !disk->tables)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open");
    return block_map_open(&disk->map, format, &host, err);
}

/* Checks the whole image before any of it is used. */
static int check_block_image(struct block_image *disk, struct error *err)
{
    const struct block_map *map = &disk->map;
    char block[32], size[32], data[32];
    struct block_summary found;

    if (block_map_check(&disk->map, &found, err) < 0)
        return -1;
    if (found.packed_blocks > 0)
        disk->image.is_decoded = true;
    log_info(
        "%s: %s (%s), blocks of %s, disk of %s, %s in plain blocks, "
        "%" PRIu64 " compressed blocks%s",
        disk->image.path, map->format->name, map->variant,
        format_bytes(block, sizeof(block), map->block_bytes),
        format_bytes(size, sizeof(size), map->virtual_bytes),
        format_bytes(data, sizeof(data), found.data_bytes), found.packed_blocks,
        found.overlaps_checked ? "" : ", too large to look for all overlaps");
    return 0;
}

static void open_block_holes(struct block_image *disk,
                             const struct image_options *options)
{
    const struct image *like = options->like;

    if (disk->image.stream)
        return;
    sparse_map_init(&disk->holes, &disk->file);
    if (like)
        sparse_map_learn(&disk->holes,
                         &((const struct block_image *)like)->holes);
    else
        sparse_map_check(&disk->holes, options->holes, options->path);
    disk->image.reads_holes = disk->holes.reads_holes;
}

static int open_block_parts(struct block_image *disk,
                            const struct block_format *format,
                            const struct image_options *options,
                            struct error *err)
{
    if (open_block_map(disk, format, options->like, err) < 0)
        return -1;
    disk->image.virtual_bytes = disk->map.virtual_bytes;
    open_block_holes(disk, options);
    if (!options->like && check_block_image(disk, err) < 0)
        return -1;
    if (!options->queue)
        return 0;
    disk->split = io_split_open(options->queue);
    return disk->split ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "open");
}

int block_image_open(const struct block_format *format, struct layer *layer,
                     struct image **img, struct error *err)
{
    const struct image_options *options = layer->options;
    struct block_image *disk = calloc(1, sizeof(*disk));

    if (!disk)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    image_init(&disk->image, &block_image_ops, layer);
    disk->file = file_take(&layer->file);
    disk->cached = disk->file;
    disk->cached.mode = CW_IO_MODE_BUFFERED;
    *img = &disk->image;
    if (open_block_parts(disk, format, options, err) == 0)
        return 0;
    image_close(&disk->image);
    return error_wrap(err, "%s", options->path);
}

int block_image_describe(const struct block_format *format,
                         const struct image_host *host,
                         struct format_header *header, struct error *err)
{
    struct block_map map;

    if (block_map_open(&map, format, host, err) < 0)
        return -1;
    header->virtual_bytes = map.virtual_bytes;
    block_map_fini(&map);
    return 0;
}
