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

struct streamer {
    struct cw_job *job;
    struct disk_stream *stream;
    uint64_t max_bytes;
    uint64_t at; /* bytes of the disk received so far */
    struct io_context io;
    struct chunk_writer writer;
};

/* Waits for a write to end. */
static int complete_write(struct streamer *w, struct error *err)
{
    struct io *io = io_queue_reap(w->io.queue, false);

    if (!io)
        io = watchdog_reap(w->job, w->io.queue, w->job->status.disk_path,
                           w->at);
    return chunk_writer_written(&w->writer, io, err);
}

static int lease_buffer(struct streamer *w, uint8_t **buf, struct error *err)
{
    while (io_queue_has_ready(w->io.queue) ||
           buffer_pool_leased(w->io.pool) == w->io.block_count)
        if (complete_write(w, err) < 0)
            return -1;
    *buf = buffer_pool_lease(w->io.pool);
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

/* Writes the chunk, padded to whole sectors: only the last chunk of the disk
 * may end inside a sector. */
static int write_received(struct streamer *w, struct chunk *chunk, bool is_zero,
                          struct error *err)
{
    struct cw_job *job = w->job;
    size_t padding = (size_t)chunk_grid_padding(chunk->len);
    uint64_t at = w->at;

    progress_add(&job->status.progress.handled_bytes, chunk->len);
    job->status.padding_bytes = padding;
    if (!is_zero)
        memset(chunk->buf + chunk->len, 0, padding);
    chunk->len += padding;
    if (check_room(w, chunk->len, err) < 0)
        return -1;
    if (chunk->len < CHUNK_BYTES) /* the last one, and shorter */
        digest_cut(job->status.digest, at + chunk->len);
    w->at += chunk->len;
    if (is_zero)
        return chunk_writer_put_zero(&w->writer, at, chunk->len, err);
    return chunk_writer_put(&w->writer, chunk, err);
}

/* 1: there is more; 0: the stream has ended; -1. */
static int receive_chunk(struct streamer *w, struct error *err)
{
    struct chunk chunk = { .index = w->at / CHUNK_BYTES };
    bool is_zero = false;
    uint64_t start_ns;
    ssize_t n;
    int r = 0;

    if (lease_buffer(w, &chunk.buf, err) < 0)
        return -1;
    start_ns = clock_now_ns();
    n = w->stream->fill(w->stream, chunk.buf, CHUNK_BYTES, &is_zero, err);
    job_waited(&w->job->status.progress.wait_net_ns, start_ns);
    if (n > 0) {
        chunk.len = (size_t)n;
        r = write_received(w, &chunk, is_zero, err);
    }
    if (chunk.buf)
        buffer_pool_return(w->io.pool, chunk.buf);
    if (n < 0 || r < 0)
        return -1;
    return n == (ssize_t)CHUNK_BYTES;
}

static int receive_disk(struct streamer *w, struct error *err)
{
    int more;

    do {
        if (job_state_stopping(&w->job->state))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        more = receive_chunk(w, err);
    } while (more > 0);
    if (more < 0)
        return -1;
    digest_cut(w->job->status.digest, w->at);
    while (buffer_pool_leased(w->io.pool) > 0)
        if (complete_write(w, err) < 0)
            return -1;
    return sink_lane_finish(w->writer.lane, err);
}

int stream_writer_run(struct cw_job *job, struct sink *sink,
                      struct disk_stream *stream, uint64_t max_bytes,
                      uint64_t *disk_bytes, struct error *err)
{
    struct streamer *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start writing");
    w->job = job;
    w->stream = stream;
    w->max_bytes = max_bytes;
    r = io_context_open(&w->io, job->resources.queue_engine,
                        job_buffers_per_lane(job), err);
    if (r == 0)
        r = chunk_writer_open(&w->writer, job, sink, &w->io, err);
    if (r == 0)
        r = receive_disk(w, err);
    *disk_bytes = w->at;
    io_context_close(&w->io);
    chunk_writer_close(&w->writer);
    free(w);
    return r;
}
