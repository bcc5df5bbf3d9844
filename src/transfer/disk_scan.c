#include "transfer/disk_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/progress.h"
#include "transfer/chunk_reader.h"
#include "transfer/io_context.h"

#define BLOCKS 8U /* chunks being read at once */

struct scanner {
    const struct disk_scan *scan;
    struct digest *digest;
    struct io_context io;
    struct image *image;
    struct work_queue work;
    struct chunk_reader chunks;
    struct chunk blocks[BLOCKS];
    size_t aimed; /* chosen chunks started */
};

/* The chunk is in the digest. */
static int found(struct scanner *w, const struct chunk *chunk,
                 const uint8_t *leaves, const uint8_t *sums, struct error *err)
{
    const struct disk_scan *scan = w->scan;

    if (scan->done_bytes)
        progress_add(scan->done_bytes, chunk->len);
    return scan->found
               ? scan->found(scan->opaque, chunk->index, leaves, sums, err)
               : 0;
}

/* Sums blocks while they are in the cache; 0 after the end of the disk. */
static void sum_blocks(struct chunk *chunk, uint8_t *sums)
{
    chunk_clear(chunk);
    if (chunk->len < CHUNK_BYTES)
        memset(sums, 0, DIGEST_SUMS_BYTES);
    digest_sums(chunk->buf, chunk->len, sums);
}

static int completed(struct scanner *w, struct io *io, struct error *err)
{
    uint8_t leaves[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    struct chunk *chunk = io->owner;

    if (io->result < 0)
        return image_read_error(w->image, io, err);
    if (--chunk->pending > 0)
        return 0;
    digest_leaves(w->digest, chunk->buf, chunk->len, 0, chunk->blank, leaves);
    if (w->scan->wants_sums)
        sum_blocks(chunk, sums);
    buffer_pool_return(w->io.pool, TAKE_PTR(chunk->buf));
    digest_add_leaves(w->digest, chunk->index, leaves);
    if (digest_is_zero(w->digest, chunk->index))
        return found(w, chunk, NULL, NULL, err);
    return found(w, chunk, leaves, w->scan->wants_sums ? sums : NULL, err);
}

static struct chunk *free_chunk(struct scanner *w)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        if (!w->blocks[i].buf)
            return &w->blocks[i];
    return NULL;
}

/* Points the cursor at the next chosen chunk.  False: none is left. */
static bool aim(struct scanner *w)
{
    uint64_t chunk;

    if (w->aimed == w->scan->chosen_count)
        return false;
    chunk = w->scan->chosen[w->aimed++];
    atomic_store(&w->work.next, chunk);
    w->work.end = chunk + 1;
    return true;
}

static bool is_skipped(const struct scanner *w, uint64_t chunk)
{
    return w->scan->skip && chunk_bitmap_has(w->scan->skip, chunk);
}

static int take_hole(struct scanner *w, const struct chunk *chunk,
                     struct error *err)
{
    digest_add_zero(w->digest, chunk->index);
    return found(w, chunk, NULL, NULL, err);
}

/* Starts reads while there are free buffers.  0: nothing is left to start. */
static int feed(struct scanner *w, struct error *err)
{
    struct chunk *chunk;

    while ((chunk = free_chunk(w))) {
        uint8_t *buf = buffer_pool_lease(w->io.pool);
        int r = chunk_reader_next(&w->chunks, chunk, buf, err);

        if (r > 0 && chunk->read_count > 0 && !is_skipped(w, chunk->index)) {
            chunk_start(chunk, w->image);
            continue;
        }
        buffer_pool_return(w->io.pool, buf);
        chunk->buf = NULL;
        if (r < 0 || (r == 0 && !aim(w)))
            return r;
        if (r > 0 && !is_skipped(w, chunk->index) &&
            take_hole(w, chunk, err) < 0)
            return -1;
    }
    return 1;
}

static int walk(struct scanner *w, struct error *err)
{
    for (;;) {
        int more = feed(w, err);
        struct io *io;

        if (more < 0)
            return -1;
        if (w->scan->stop && atomic_load(w->scan->stop))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (!more && buffer_pool_leased(w->io.pool) == 0)
            return image_finish(w->image, err);
        io = io_queue_reap(w->io.queue, true);
        if (io && completed(w, io, err) < 0)
            return -1;
    }
}

static int open_work(struct scanner *w, struct error *err)
{
    struct image_options image = w->scan->image;

    if (io_context_open(&w->io, w->scan->engine, BLOCKS, err) < 0)
        return -1;
    image.queue = w->io.queue;
    if (image_open(&image, &w->image, err) < 0)
        return -1;
    w->chunks.work = &w->work;
    w->chunks.image = w->image;
    w->chunks.virtual_bytes = w->scan->virtual_bytes ? w->scan->virtual_bytes
                                                     : w->image->virtual_bytes;
    if (w->chunks.virtual_bytes > w->image->virtual_bytes)
        return error_set(err, ERROR_REFUSED, 0, "%s is smaller than %llu bytes",
                         w->image->path,
                         (unsigned long long)w->chunks.virtual_bytes);
    work_queue_init(&w->work, chunk_grid_count(w->chunks.virtual_bytes), 1, 1);
    if (w->scan->chosen)
        w->work.end = 0;
    return 0;
}

static void close_work(struct scanner *w)
{
    io_context_close(&w->io);
    image_close(w->image);
    chunk_reader_fini(&w->chunks);
    free(w);
}

int disk_scan_run(const struct disk_scan *scan, struct digest *digest,
                  struct error *err)
{
    struct scanner *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read a disk");
    w->scan = scan;
    w->digest = digest;
    r = open_work(w, err);
    if (r == 0)
        r = walk(w, err);
    close_work(w);
    return r;
}
