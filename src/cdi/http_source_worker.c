#include "cdi/http_source.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "image/image_identity.h"
#include "job/public_types.h"
#include "plan/chunk_grid.h"
#include "tar/writer.h"
#include "transfer/chunk_reader.h"

/* How often to check for a response that arrives before the end. */
#define LOOK_BYTES CHUNK_BYTES

/* ---- progress ---- */

/* Progress never goes back: an attempt counts only beyond earlier ones.  It
 * does not pass the total, which is an estimate for a tree. */
static void count_handled(struct http_source *v, uint64_t now)
{
    uint64_t max = atomic_load(&v->max), total = v->job.status.total_bytes;

    if (now > total)
        now = total;
    if (now <= max)
        return;
    progress_add(&v->job.status.progress.handled_bytes, now - max);
    atomic_store(&v->max, now);
}

static void count(struct http_source *v, uint64_t before)
{
    uint64_t now = v->encoder.data_bytes + v->encoder.zero_bytes;

    progress_add(&v->job.status.progress.data_bytes, now - before);
    count_handled(v, now);
}

/* The server has responded in mid-stream: stop sending. */
static int stop_early(struct error *err)
{
    return error_set(err, ERROR_PEER, 0,
                     "the target answered before it had received all data");
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
        .holes = v->options.tuning.holes,
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

static int send_chunk(void *opaque, struct chunk *chunk, struct error *err)
{
    if (chunk->read_count == 0)
        return put(opaque, NULL, chunk->len, err);
    chunk_clear(chunk); /* all its bytes are sent */
    return put(opaque, chunk->buf, chunk->len, err);
}

static int read_disk(struct http_source *v, struct chunk_reader *reader,
                     struct error *err)
{
    static const struct chunk_reader_ops ops = { .take = send_chunk };
    struct image_options image = v->image_options;
    struct work_queue work;

    work_queue_init(&work, chunk_grid_count(v->job.status.disk_bytes), 1, 1);
    reader->ops = &ops;
    reader->opaque = v;
    reader->job = &v->job;
    reader->stop = &v->job.state.stop;
    reader->work = &work;
    reader->virtual_bytes = v->job.status.disk_bytes;
    reader->in_order = true;
    image.like = v->image;
    if (chunk_reader_open(reader, &image, v->job.resources.queue_engine,
                          job_buffers_per_lane(&v->job), err) < 0 ||
        chunk_reader_run(reader, err) < 0)
        return -1;
    return image_check_same(v->image, err);
}

static int send_disk(struct http_source *v, struct error *err)
{
    struct chunk_reader *reader = calloc(1, sizeof(*reader));
    int r;

    if (!reader)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    r = read_disk(v, reader, err);
    chunk_reader_close(reader);
    free(reader);
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
    count_handled(v, UINT64_MAX); /* all of it, whatever the estimate was */
    atomic_store(&v->is_sent, true);
    job_state_wake(&v->job.state);
    return upload_client_await(&v->client, err);
}
