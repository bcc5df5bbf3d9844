#include "transfer/stream_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "job/watchdog.h"
#include "job/worker.h"
#include "transfer/chunk_writer.h"
#include "transfer/io_context.h"

struct stream_slot {
    uint8_t *buf; /* leased; NULL: free */
    struct chunk_writer_runs runs;
};

struct streamer {
    struct cw_job *job;
    struct disk_stream *feed;
    uint64_t max_bytes;
    uint64_t at; /* bytes of the disk received so far */
    struct io_context io;
    struct sink_lane *sink;
    struct chunk_writer stow;
    struct stream_slot blocks[JOB_BUFFERS_PER_LANE];
};

static void free_block(struct streamer *w, struct stream_slot *b)
{
    buffer_pool_return(w->io.pool, TAKE_PTR(b->buf));
}

/* Waits for a write to end. */
static int reap(struct streamer *w, struct error *err)
{
    struct io *io = io_queue_reap(w->io.queue, false);
    struct chunk_writer_runs *runs;
    int r;

    if (!io)
        io = watchdog_reap(w->job, w->io.queue, w->job->status.disk_path,
                           w->at);
    runs = io->owner;
    r = chunk_writer_written(&w->stow, io, err);
    if (r > 0)
        free_block(w,
                   (void *)((char *)runs - offsetof(struct stream_slot, runs)));
    return r < 0 ? -1 : 0;
}

static struct stream_slot *find_free(struct streamer *w)
{
    for (unsigned i = 0; i < w->io.block_count; i++)
        if (!w->blocks[i].buf)
            return &w->blocks[i];
    return NULL;
}

static int take_block(struct streamer *w, struct stream_slot **block,
                      struct error *err)
{
    while (io_queue_has_ready(w->io.queue) || !find_free(w))
        if (reap(w, err) < 0)
            return -1;
    *block = find_free(w);
    (*block)->buf = buffer_pool_lease(w->io.pool);
    return 0;
}

static int check_room(const struct streamer *w, size_t len, struct error *err)
{
    if (len <= w->max_bytes - w->at)
        return 0;
    return error_set(err, ERROR_NO_SPACE, 0,
                     "the disk is larger than the %" PRIu64
                     " bytes available for it; a larger volume is required",
                     w->max_bytes);
}

/* Writes the len bytes received in b, padded to whole sectors: only the last
 * chunk of the disk may end inside a sector. */
static int put(struct streamer *w, struct stream_slot *b, size_t len,
               bool is_zero, struct error *err)
{
    struct cw_job *job = w->job;
    size_t padding = (size_t)chunk_grid_padding(len);
    int r = 0;

    progress_add(&job->status.progress.handled_bytes, len);
    job->status.padding_bytes = padding;
    if (!is_zero)
        memset(b->buf + len, 0, padding);
    len += padding;
    if (check_room(w, len, err) < 0)
        return -1;
    if (len < CHUNK_BYTES) /* the last one, and shorter */
        digest_cut(job->status.digest, w->at + len);
    if (!is_zero) {
        r = chunk_writer_chunk(&w->stow, &b->runs, w->at / CHUNK_BYTES, b->buf,
                               len, err);
    } else {
        progress_add(&job->status.progress.zero_bytes, len);
        r = sink_zero(w->sink, w->at, len, err);
    }
    w->at += len;
    if (r == 0)
        free_block(w, b);
    return r < 0 ? -1 : 0;
}

static int walk(struct streamer *w, struct error *err)
{
    ssize_t n;

    do {
        struct stream_slot *b;
        bool is_zero = false;
        uint64_t start_ns;

        if (job_state_stopping(&w->job->state))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (take_block(w, &b, err) < 0)
            return -1;
        start_ns = clock_now_ns();
        n = w->feed->fill(w->feed, b->buf, CHUNK_BYTES, &is_zero, err);
        job_waited(&w->job->status.progress.wait_net_ns, start_ns);
        if (n < 0)
            return -1;
        if (n == 0)
            free_block(w, b);
        else if (put(w, b, (size_t)n, is_zero, err) < 0)
            return -1;
    } while (n == (ssize_t)CHUNK_BYTES);
    digest_cut(w->job->status.digest, w->at);
    while (buffer_pool_leased(w->io.pool) > 0)
        if (reap(w, err) < 0)
            return -1;
    return sink_lane_finish(w->sink, err);
}

int stream_writer_run(struct cw_job *job, struct sink *sink,
                      struct disk_stream *feed, uint64_t max_bytes,
                      uint64_t *disk_bytes, struct error *err)
{
    struct streamer *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start writing");
    w->job = job;
    w->feed = feed;
    w->max_bytes = max_bytes;
    r = io_context_open(&w->io, job->resources.queue_engine,
                        job_buffers_per_lane(job), err);
    if (r == 0) {
        w->sink = sink_lane_open(sink, w->io.queue);
        w->stow = (struct chunk_writer){ job, sink, w->sink };
        r = w->sink ? walk(w, err)
                    : error_set(err, ERROR_SYSTEM, ENOMEM, "start writing");
    }
    *disk_bytes = w->at;
    io_context_close(&w->io);
    sink_lane_close(w->sink);
    free(w);
    return r;
}
