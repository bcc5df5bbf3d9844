#include "transfer/disk_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/progress.h"
#include "transfer/chunk_reader.h"

struct scanner {
    const struct disk_scan *scan;
    struct digest *digest;
    struct work_queue work;
    struct work_order order; /* the chosen chunks */
    struct chunk_reader reader;
};

/* The chunk is in the digest. */
static int report_chunk(struct scanner *w, const struct chunk *chunk,
                        const uint8_t *leaves, const uint8_t *sums,
                        struct error *err)
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

static int digest_chunk(void *opaque, struct chunk *chunk, struct error *err)
{
    uint8_t leaves[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    struct scanner *w = opaque;

    digest_leaves(w->digest, chunk->buf, chunk->len, 0, chunk->blank, leaves);
    if (w->scan->wants_sums)
        sum_blocks(chunk, sums);
    buffer_pool_return(w->reader.io.pool, TAKE_PTR(chunk->buf));
    digest_add_leaves(w->digest, chunk->index, leaves);
    if (digest_is_zero(w->digest, chunk->index))
        return report_chunk(w, chunk, NULL, NULL, err);
    return report_chunk(w, chunk, leaves, w->scan->wants_sums ? sums : NULL,
                        err);
}

/* Skips chunks as wanted, and digests holes without reading them. */
static int plan_scan(void *opaque, struct chunk *chunk, struct error *err)
{
    struct scanner *w = opaque;

    if (w->scan->skip && chunk_bitmap_has(w->scan->skip, chunk->index))
        return 1;
    if (chunk->read_count > 0)
        return 0;
    digest_add_zero(w->digest, chunk->index);
    return report_chunk(w, chunk, NULL, NULL, err) < 0 ? -1 : 1;
}

/* Which chunks to read: the chosen ones, or all. */
static int plan_work(struct scanner *w, struct error *err)
{
    const struct disk_scan *scan = w->scan;

    work_queue_init(&w->work, chunk_grid_count(w->reader.virtual_bytes), 1, 1);
    if (!scan->chosen)
        return 0;
    w->work.end = scan->chosen_count;
    w->work.order = &w->order;
    for (size_t i = 0; i < scan->chosen_count; i++)
        if (work_order_add(&w->order, scan->chosen[i], 1, err) < 0)
            return -1;
    return 0;
}

static int scan_chunks(struct scanner *w, struct error *err)
{
    static const struct chunk_reader_ops ops = {
        .plan = plan_scan,
        .take = digest_chunk,
    };
    struct chunk_reader *reader = &w->reader;
    uint64_t wanted_bytes = w->scan->virtual_bytes;

    reader->ops = &ops;
    reader->opaque = w;
    reader->stop = w->scan->stop;
    reader->work = &w->work;
    if (chunk_reader_open(reader, &w->scan->image, w->scan->engine,
                          JOB_BUFFERS_PER_LANE, err) < 0)
        return -1;
    if (wanted_bytes > reader->image->virtual_bytes)
        return error_set(err, ERROR_REFUSED, 0, "%s is smaller than %llu bytes",
                         reader->image->path, (unsigned long long)wanted_bytes);
    reader->virtual_bytes = wanted_bytes ? wanted_bytes
                                         : reader->image->virtual_bytes;
    return plan_work(w, err) < 0 ? -1 : chunk_reader_run(reader, err);
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
    r = scan_chunks(w, err);
    chunk_reader_close(&w->reader);
    work_order_fini(&w->order);
    free(w);
    return r;
}
