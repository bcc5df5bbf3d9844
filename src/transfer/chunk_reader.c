#include "transfer/chunk_reader.h"

#include "base/cleanup.h"
#include "job/watchdog.h"
#include "plan/zero_mask.h"
#include "transfer/chunk_writer.h"

/* ---- which chunk, and what is mapped of it ---- */

/* 1: the range is not empty; 0: no chunk is left; -1: the map cannot be read. */
static int take_range(struct chunk_reader *r, struct error *err)
{
    uint64_t offset, length;

    if (r->range.count > 0)
        return 1;
    if (image_has_order(r->image)) {
        int found = image_next(r->image, &r->range.first, err);

        if (found <= 0)
            return found;
        r->range.count = 1;
    } else if (!work_queue_take(r->work, &r->range)) {
        return 0;
    }
    offset = r->range.first * CHUNK_BYTES;
    length = r->range.count * CHUNK_BYTES;
    if (length > r->virtual_bytes - offset)
        length = r->virtual_bytes - offset;
    r->extent = 0;
    extent_list_clear(&r->extents);
    if (image_map(r->image, offset, length, &r->extents, err) < 0)
        return error_wrap(err, "map %s", r->image->path);
    return 1;
}

/* Adds [begin, end) of the disk to the reads of chunk. */
static void add_read(struct chunk *chunk, uint64_t begin, uint64_t end)
{
    struct io *last = chunk->read_count ? &chunk->reads[chunk->read_count - 1]
                                        : NULL;
    uint64_t base = chunk->index * CHUNK_BYTES;

    chunk->mapped_bytes += end - begin;
    if (last && begin - (last->offset + last->len) < CHUNK_GAP_BYTES) {
        last->len = (size_t)(end - last->offset);
        return;
    }
    chunk->reads[chunk->read_count++] = (struct io){
        .op = IO_READ,
        .buf = chunk->buf + (begin - base),
        .len = (size_t)(end - begin),
        .offset = begin,
        .owner = chunk,
    };
}

/* Collects the data of the chunk out of the extents of the range. */
static void plan_reads(struct chunk_reader *r, struct chunk *chunk)
{
    uint64_t begin = chunk->index * CHUNK_BYTES;
    uint64_t end = begin + chunk->len;

    chunk->mapped_bytes = 0;
    chunk->read_count = 0;
    for (; r->extent < r->extents.count; r->extent++) {
        const struct extent *e = &r->extents.items[r->extent];
        uint64_t e_end = e->offset + e->length;

        if (e->offset >= end)
            return;
        if (e->kind == EXTENT_DATA && e_end > begin)
            add_read(chunk, e->offset > begin ? e->offset : begin,
                     e_end < end ? e_end : end);
        if (e_end > end)
            return;
    }
}

uint64_t chunk_reader_step(const struct image *image)
{
    if (image->block_bytes == 0 || image->block_bytes % CHUNK_BYTES != 0)
        return 1; /* a block of partial chunks is divided anyway */
    return image->block_bytes / CHUNK_BYTES;
}

/* Plans the reads of the next chunk.  1; 0: no chunk is left; -1. */
static int next_chunk(struct chunk_reader *r, struct chunk *chunk,
                      struct error *err)
{
    int found = take_range(r, err);

    if (found <= 0)
        return found;
    chunk->index = r->range.first++;
    r->range.count--;
    chunk->len = (size_t)chunk_grid_length(r->virtual_bytes, chunk->index);
    plan_reads(r, chunk);
    /* A disk without a map was counted as data throughout. */
    if (image_has_order(r->image))
        chunk->mapped_bytes = chunk->len;
    return 1;
}

/* ---- its bytes ---- */

/* Marks as blank, or clears, the parts of the chunk that no read covers. */
static void blank_gaps(struct chunk *chunk)
{
    size_t at = 0;

    chunk->blank = 0;
    for (unsigned i = 0; i < chunk->read_count; i++) {
        size_t begin = (size_t)(chunk->reads[i].buf - chunk->buf);

        chunk->blank |= zero_mask_out(chunk->buf, chunk->len, at, begin);
        at = begin + chunk->reads[i].len;
    }
    chunk->blank |= zero_mask_out(chunk->buf, chunk->len, at, chunk->len);
}

/* ---- chunks in flight ---- */

static struct chunk *find_free_chunk(struct chunk_reader *r)
{
    if (buffer_pool_leased(r->io.pool) == r->io.block_count)
        return NULL;
    for (unsigned i = 0; i < r->io.block_count; i++)
        if (!r->chunks[i].buf)
            return &r->chunks[i];
    return NULL;
}

static void release(struct chunk_reader *r, struct chunk *chunk)
{
    if (chunk->buf)
        buffer_pool_return(r->io.pool, TAKE_PTR(chunk->buf));
}

static void start_chunk(struct chunk_reader *r, struct chunk *chunk)
{
    blank_gaps(chunk);
    chunk->pending = chunk->read_count;
    for (unsigned i = 0; i < chunk->read_count; i++)
        image_read(r->image, &chunk->reads[i]);
}

/*
 * Starts reads while there are buffers.  Stops early when a read has completed:
 * it came from memory, and is best used while it is in the CPU's cache.
 * 0: no chunk is left to start; 1: there may be more; -1.
 */
static int start_reads(struct chunk_reader *r, struct error *err)
{
    struct chunk *chunk;

    while ((chunk = find_free_chunk(r))) {
        int found, is_done = 0;

        chunk->buf = buffer_pool_lease(r->io.pool);
        found = next_chunk(r, chunk, err);
        if (found > 0 && r->ops->plan)
            is_done = r->ops->plan(r->opaque, chunk, err);
        if (found <= 0 || is_done != 0)
            release(r, chunk);
        else
            start_chunk(r, chunk);
        if (found <= 0 || is_done < 0)
            return is_done < 0 ? -1 : found;
        if (io_queue_has_ready(r->io.queue))
            return 1;
    }
    return 1;
}

static int take_chunk(struct chunk_reader *r, struct chunk *chunk,
                      struct error *err)
{
    int result = r->ops->take(r->opaque, chunk, err);

    release(r, chunk);
    return result;
}

/* The first chunk on the disk of those in flight, if it is read. */
static struct chunk *find_first(struct chunk_reader *r)
{
    struct chunk *first = NULL;

    for (unsigned i = 0; i < r->io.block_count; i++)
        if (r->chunks[i].buf && (!first || r->chunks[i].index < first->index))
            first = &r->chunks[i];
    return first && first->pending == 0 ? first : NULL;
}

/* Lowest index of the chunks that are being read; UINT64_MAX: none is. */
static uint64_t oldest_read(const struct chunk_reader *r)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < r->io.block_count; i++)
        if (r->chunks[i].buf && r->chunks[i].pending > 0 &&
            r->chunks[i].index < oldest)
            oldest = r->chunks[i].index;
    return oldest;
}

static struct io *wait_for_io(struct chunk_reader *r, struct error *err)
{
    uint64_t reading = oldest_read(r), writing = UINT64_MAX;

    if (r->ops->idle && r->ops->idle(r->opaque, err) < 0)
        return NULL;
    if (!r->job)
        return io_queue_reap(r->io.queue, true);
    if (r->writer)
        writing = chunk_writer_oldest(r->writer);
    if (writing < reading)
        return watchdog_reap(r->job, r->io.queue, r->job->status.disk_path,
                             writing * CHUNK_BYTES);
    return watchdog_reap(r->job, r->io.queue, r->path, reading * CHUNK_BYTES);
}

/* Completes one read or write. */
static int complete_one(struct chunk_reader *r, struct error *err)
{
    struct io *io = io_queue_reap(r->io.queue, false);
    struct chunk *chunk;

    if (!io)
        io = wait_for_io(r, err);
    if (!io)
        return -1;
    if (io->op != IO_READ)
        return chunk_writer_written(r->writer, io, err);
    if (io->result < 0)
        return image_read_error(r->image, io, err);
    chunk = io->owner;
    if (--chunk->pending > 0 || r->in_order)
        return 0;
    return take_chunk(r, chunk, err);
}

int chunk_reader_run(struct chunk_reader *reader, struct error *err)
{
    for (;;) {
        int more = start_reads(reader, err), result;
        struct chunk *first = reader->in_order ? find_first(reader) : NULL;

        if (more < 0)
            return -1;
        if (reader->stop &&
            atomic_load_explicit(reader->stop, memory_order_relaxed))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (!more && buffer_pool_leased(reader->io.pool) == 0)
            return image_finish(reader->image, err);
        result = first ? take_chunk(reader, first, err)
                       : complete_one(reader, err);
        if (result < 0)
            return -1;
    }
}

/* ---- the lane's resources ---- */

int chunk_reader_open(struct chunk_reader *reader,
                      const struct image_options *image,
                      enum cw_io_engine engine, unsigned buffers,
                      struct error *err)
{
    struct image_options options = *image;

    if (io_context_open(&reader->io, engine, buffers, err) < 0)
        return -1;
    options.queue = reader->io.queue;
    reader->path = image->path;
    return image_open(&options, &reader->image, err);
}

void chunk_reader_close(struct chunk_reader *reader)
{
    io_context_close(&reader->io);
    image_close(reader->image);
    extent_list_fini(&reader->extents);
}
