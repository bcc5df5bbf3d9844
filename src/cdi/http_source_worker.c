#include "cdi/http_source.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "image/image_identity.h"
#include "job/watchdog.h"
#include "plan/chunk_grid.h"
#include "tar/writer.h"
#include "transfer/chunk_reader.h"
#include "transfer/io_context.h"

/* How often to check for a response that arrives before the end. */
#define LOOK_BYTES CHUNK_BYTES

/* ---- progress ---- */

/* Progress never goes back: an attempt counts only beyond earlier ones. */
static void count(struct http_source *v, uint64_t before)
{
    uint64_t now = v->encoder.data_bytes + v->encoder.zero_bytes;
    uint64_t max = atomic_load(&v->max);

    progress_add(&v->job.status.progress.data_bytes, now - before);
    if (now <= max)
        return;
    progress_add(&v->job.status.progress.handled_bytes, now - max);
    atomic_store(&v->max, now);
}

/* The server has responded in mid-stream: stop sending. */
static int stop_early(struct error *err)
{
    return error_set(err, ERROR_PEER, 0,
                     "the target answered before it had heard all");
}

/* Sends len bytes; data NULL: zeros. */
static int put(struct http_source *v, const uint8_t *data, uint64_t len,
               struct error *err)
{
    uint64_t before = v->encoder.data_bytes + v->encoder.zero_bytes;
    int r = snappy_encoder_put(&v->encoder, data, len, err);

    count(v, before);
    if (r == 0 && before / LOOK_BYTES != (before + len) / LOOK_BYTES)
        r = upload_client_look(&v->client, err);
    if (r == 0 && job_state_stopping(&v->job.state))
        return error_set(err, ERROR_CANCELLED, 0, "stopped");
    return r > 0 ? stop_early(err) : r;
}

/* ---- a tree ---- */

static int put_packed(void *opaque, const void *data, size_t len,
                      struct error *err)
{
    return put(opaque, data, len, err);
}

static int send_tree(struct http_source *v, struct error *err)
{
    const struct tar_writer_options options = {
        .directory = v->options.path,
        .sparse = !v->options.dense,
        .holes = (enum hole_policy)v->options.tuning.holes,
        .allow_in_use = v->options.allow_in_use,
        .put = put_packed,
        .opaque = v,
    };
    struct tar_writer_report report;

    if (tar_writer_tree(&options, &report, err) < 0)
        return -1;
    log_info("sent %llu files with %llu bytes",
             (unsigned long long)report.files,
             (unsigned long long)report.content_bytes);
    return 0;
}

/* ---- a disk ---- */

struct http_sender {
    struct http_source *volume;
    struct io_context io;
    struct image *image; /* owned */
    struct work_queue work;
    struct chunk_reader chunks;
    struct chunk queue[JOB_BUFFERS_PER_LANE]; /* circular, from first */
    unsigned first, count;
};

/* Completes a read. */
static int note_read(const struct http_sender *w, const struct io *io,
                     struct error *err)
{
    if (io->result < 0)
        return image_read_error(w->image, io, err);
    ((struct chunk *)io->owner)->pending--;
    return 0;
}

/* Starts the reads of chunk and completes those that are done. */
static int start_chunk(struct http_sender *w, struct chunk *chunk,
                       struct error *err)
{
    struct io *io;

    chunk->pending = 0;
    if (chunk->read_count > 0) {
        chunk_start(chunk, w->image);
        chunk_clear(chunk); /* all its bytes are sent */
    }
    while (io_queue_has_ready(w->io.queue) &&
           (io = io_queue_reap(w->io.queue, false)) != NULL)
        if (note_read(w, io, err) < 0)
            return -1;
    return 0;
}

/*
 * Starts reads while there are free buffers.  A read that the page cache serves
 * at once is sent while it is still in the CPU's cache.  0, also at the end, or
 * -1.
 */
static int feed(struct http_sender *w, struct error *err)
{
    bool came_at_once = false;

    while (w->count < w->io.block_count && !came_at_once) {
        unsigned at = (w->first + w->count) % w->io.block_count;
        struct chunk *chunk = &w->queue[at];
        uint8_t *buf = buffer_pool_lease(w->io.pool);
        int r = chunk_reader_next(&w->chunks, chunk, buf, err);

        if (r <= 0) {
            buffer_pool_return(w->io.pool, buf);
            return r;
        }
        w->count++;
        if (start_chunk(w, chunk, err) < 0)
            return -1;
        came_at_once = chunk->read_count > 0 && chunk->pending == 0;
    }
    return 0;
}

/* Waits until the first chunk of the queue is read completely. */
static int wait_for_first(struct http_sender *w, struct error *err)
{
    const struct chunk *first = &w->queue[w->first];

    while (first->pending > 0) {
        struct io *io = io_queue_reap(w->io.queue, false);

        if (!io)
            io = watchdog_reap(&w->volume->job, w->io.queue,
                               w->volume->image_options.path,
                               first->index * CHUNK_BYTES);
        if (note_read(w, io, err) < 0)
            return -1;
    }
    return 0;
}

static int send_first(struct http_sender *w, struct error *err)
{
    struct chunk *chunk = &w->queue[w->first];
    int r = put(w->volume, chunk->read_count > 0 ? chunk->buf : NULL,
                chunk->len, err);

    buffer_pool_return(w->io.pool, TAKE_PTR(chunk->buf));
    w->first = (w->first + 1) % w->io.block_count;
    w->count--;
    return r;
}

static int open_work(struct http_sender *w, struct http_source *v,
                     struct error *err)
{
    struct image_options image = v->image_options;

    w->volume = v;
    if (io_context_open(&w->io, v->job.resources.queue_engine,
                        job_buffers_per_lane(&v->job), err) < 0)
        return -1;
    image.queue = w->io.queue;
    image.like = v->image;
    if (image_open(&image, &w->image, err) < 0)
        return -1;
    work_queue_init(&w->work, chunk_grid_count(v->job.status.disk_bytes), 1, 1);
    w->chunks.work = &w->work;
    w->chunks.image = w->image;
    w->chunks.virtual_bytes = v->job.status.disk_bytes;
    return 0;
}

static int walk(struct http_sender *w, struct error *err)
{
    for (;;) {
        if (feed(w, err) < 0)
            return -1;
        if (w->count == 0)
            break;
        if (wait_for_first(w, err) < 0 || send_first(w, err) < 0)
            return -1;
    }
    return image_check_same(w->volume->image, err);
}

static int send_disk(struct http_source *v, struct error *err)
{
    struct http_sender *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    r = open_work(w, v, err);
    if (r == 0)
        r = walk(w, err);
    io_context_close(&w->io);
    image_close(w->image);
    chunk_reader_fini(&w->chunks);
    free(w);
    return r;
}

/* ---- the request ---- */

static int send_head(struct http_source *v, struct error *err)
{
    const struct http_post head = {
        .host = v->url.host,
        .path = v->url.path,
        .agent = "clonewire/" CW_VERSION,
        .cdi_content_type = v->options.is_tree ? "filesystem-clone"
                                               : "blockdevice-clone",
        .disk_bytes = v->options.is_tree ? 0 : v->job.status.disk_bytes,
    };

    if (upload_client_open(&v->client, v->conn, &head, err) < 0)
        return -1;
    return snappy_encoder_open(&v->encoder, &v->client, err);
}

static int send_all(struct http_source *v, struct error *err)
{
    int r;

    if (send_head(v, err) < 0)
        return -1;
    r = v->options.is_tree ? send_tree(v, err) : send_disk(v, err);
    if (r == 0)
        r = snappy_encoder_finish(&v->encoder, err);
    if (r == 0)
        r = upload_client_end(&v->client, err);
    return r > 0 ? stop_early(err) : r;
}

int http_source_send(struct worker *lane, struct error *err)
{
    struct http_source *v = (struct http_source *)lane->job;
    struct error silence;

    if (send_all(v, err) < 0) {
        /* The target knows nothing of a local disk failure. */
        if (err->kind == ERROR_PEER || err->kind == ERROR_TEMPORARY)
            (void)upload_client_await(&v->client, &silence);
        return -1;
    }
    /* The target's disk may be slow, but the target must be alive. */
    conn_set_role(v->conn, CONN_CONTROL,
                  (unsigned)(v->job.tuning.stall_ns / CLOCK_MS_NS));
    atomic_store(&v->is_sent, true);
    job_state_wake(&v->job.state);
    return upload_client_await(&v->client, err);
}
