#include "transfer/copy_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/watchdog.h"
#include "transfer/chunk_reader.h"
#include "transfer/chunk_writer.h"
#include "transfer/io_context.h"

struct copy_slot {
    struct chunk chunk; /* reads; its buf is NULL when the block is free */
    struct chunk_writer_runs runs;
};

struct copier {
    struct local_plan *plan;
    struct io_context io;
    struct image *image;
    struct sink_lane *sink;
    struct chunk_writer stow;
    struct chunk_reader chunks;
    struct copy_slot blocks[JOB_BUFFERS_PER_LANE];
};

static void free_block(struct copier *w, struct copy_slot *b)
{
    buffer_pool_return(w->io.pool, TAKE_PTR(b->chunk.buf));
}

/* The chunk is written completely, or is zero. */
static void finish_block(struct copier *w, struct copy_slot *b)
{
    progress_add(&w->plan->job->status.progress.handled_bytes,
                 b->chunk.mapped_bytes);
    free_block(w, b);
}

/* The chunk is read completely: digests it and starts to write it. */
static int write_block(struct copier *w, struct copy_slot *b, struct error *err)
{
    int r;

    b->runs.blank = b->chunk.blank;
    r = chunk_writer_chunk(&w->stow, &b->runs, b->chunk.index, b->chunk.buf,
                           b->chunk.len, err);

    if (r == 0)
        finish_block(w, b);
    return r < 0 ? -1 : 0;
}

/* ---- completions ---- */

static int read_completed(struct copier *w, struct io *io, struct error *err)
{
    struct chunk *chunk = io->owner;

    if (io->result < 0)
        return image_read_error(w->image, io, err);
    if (--chunk->pending > 0)
        return 0;
    /* The chunk is the block's first member. */
    return write_block(w, (struct copy_slot *)chunk, err);
}

static int write_completed(struct copier *w, struct io *io, struct error *err)
{
    struct chunk_writer_runs *runs = io->owner;
    int r = chunk_writer_written(&w->stow, io, err);

    if (r > 0)
        finish_block(w,
                     (void *)((char *)runs - offsetof(struct copy_slot, runs)));
    return r < 0 ? -1 : 0;
}

/* The chunk that has been in flight for the longest time. */
static const struct chunk *find_oldest(const struct copier *w)
{
    const struct chunk *oldest = NULL;

    for (unsigned i = 0; i < w->io.block_count; i++) {
        const struct chunk *chunk = &w->blocks[i].chunk;

        if (chunk->buf && (!oldest || chunk->index < oldest->index))
            oldest = chunk;
    }
    return oldest;
}

static struct io *wait_for_one(struct copier *w)
{
    const struct chunk *oldest = find_oldest(w);
    struct cw_job *job = w->plan->job;

    return watchdog_reap(job, w->io.queue,
                         oldest->pending > 0 ? w->plan->image.path
                                             : job->status.disk_path,
                         oldest->index * CHUNK_BYTES);
}

static int reap(struct copier *w, struct error *err)
{
    struct io *io = io_queue_reap(w->io.queue, false);

    if (!io)
        io = wait_for_one(w);
    return io->op == IO_READ ? read_completed(w, io, err)
                             : write_completed(w, io, err);
}

/* ---- the walk ---- */

static struct copy_slot *find_free(struct copier *w)
{
    for (unsigned i = 0; i < w->io.block_count; i++)
        if (!w->blocks[i].chunk.buf)
            return &w->blocks[i];
    return NULL;
}

/* A chunk of which nothing is mapped. */
static int skip_block(struct copier *w, struct copy_slot *b, struct error *err)
{
    progress_add(&w->plan->job->status.progress.zero_bytes, b->chunk.len);
    progress_add(&w->plan->job->status.progress.handled_bytes,
                 b->chunk.mapped_bytes);
    free_block(w, b);
    return sink_zero(w->sink, b->chunk.index * CHUNK_BYTES, b->chunk.len, err);
}

/* Starts as many reads as there are buffers.  0: cursor empty, 1: buffers
 * are all out. */
static int feed(struct copier *w, struct error *err)
{
    struct copy_slot *b;

    while ((b = find_free(w))) {
        uint8_t *buf = buffer_pool_lease(w->io.pool);
        int r = chunk_reader_next(&w->chunks, &b->chunk, buf, err);

        if (r <= 0) {
            buffer_pool_return(w->io.pool, buf);
            return r;
        }
        if (b->chunk.read_count > 0)
            chunk_start(&b->chunk, w->image);
        else if (skip_block(w, b, err) < 0)
            return -1;
        if (io_queue_has_ready(w->io.queue))
            return 1; /* came from memory: write it while it is hot */
    }
    return 1;
}

static int walk(struct copier *w, struct error *err)
{
    for (;;) {
        int more = feed(w, err);

        if (more < 0)
            return -1;
        if (job_state_stopping(&w->plan->job->state))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (!more && buffer_pool_leased(w->io.pool) == 0)
            break;
        if (reap(w, err) < 0)
            return -1;
    }
    if (image_finish(w->image, err) < 0)
        return -1;
    return sink_lane_finish(w->sink, err);
}

/* ---- the thread ---- */

static int open_work(struct copier *w, struct error *err)
{
    struct image_options image = w->plan->image;

    if (io_context_open(&w->io, w->plan->job->resources.queue_engine,
                        job_buffers_per_lane(w->plan->job), err) < 0)
        return -1;
    w->sink = sink_lane_open(w->plan->sink, w->io.queue);
    if (!w->sink)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a lane");
    w->stow = (struct chunk_writer){ w->plan->job, w->plan->sink, w->sink };
    image.queue = w->io.queue;
    if (image_open(&image, &w->image, err) < 0)
        return -1;
    w->chunks.work = &w->plan->work;
    w->chunks.image = w->image;
    w->chunks.virtual_bytes = w->plan->virtual_bytes;
    return 0;
}

static void close_work(struct copier *w)
{
    io_context_close(&w->io);
    image_close(w->image);
    sink_lane_close(w->sink);
    chunk_reader_fini(&w->chunks);
    free(w);
}

static int run(struct worker *lane, struct error *err)
{
    struct copier *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    w->plan = ((struct copy_worker *)lane)->plan;
    r = open_work(w, err);
    if (r == 0)
        r = walk(w, err);
    close_work(w);
    return r;
}

int copy_worker_start(struct copy_worker *lane, struct local_plan *plan,
                      unsigned number, struct error *err)
{
    lane->plan = plan;
    return worker_start(&lane->lane, plan->job, &plan->running, number, run,
                        err);
}
