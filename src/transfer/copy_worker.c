#include "transfer/copy_worker.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "transfer/chunk_reader.h"
#include "transfer/chunk_writer.h"

struct copier {
    struct local_plan *plan;
    struct chunk_reader reader;
    struct chunk_writer writer;
};

/* Makes a hole without reading it. */
static int plan_copy(void *opaque, struct chunk *chunk, struct error *err)
{
    struct copier *w = opaque;

    if (chunk->read_count > 0)
        return 0;
    progress_add(&w->plan->job->status.progress.handled_bytes,
                 chunk->mapped_bytes);
    return chunk_writer_put_zero(&w->writer, chunk->index * CHUNK_BYTES,
                                 chunk->len, err) < 0
               ? -1
               : 1;
}

static int write_chunk(void *opaque, struct chunk *chunk, struct error *err)
{
    struct copier *w = opaque;

    return chunk_writer_put(&w->writer, chunk, err);
}

static int copy_chunks(struct copier *w, struct error *err)
{
    static const struct chunk_reader_ops ops = {
        .plan = plan_copy,
        .take = write_chunk,
    };
    struct local_plan *plan = w->plan;
    struct cw_job *job = plan->job;

    w->reader.ops = &ops;
    w->reader.opaque = w;
    w->reader.job = job;
    w->reader.stop = &job->state.stop;
    w->reader.work = &plan->work;
    w->reader.virtual_bytes = plan->virtual_bytes;
    w->reader.writer = &w->writer;
    if (chunk_reader_open(&w->reader, &plan->image, job->resources.queue_engine,
                          job_buffers_per_lane(job), err) < 0 ||
        chunk_writer_open(&w->writer, job, plan->sink, &w->reader.io, err) <
            0 ||
        chunk_reader_run(&w->reader, err) < 0)
        return -1;
    return sink_lane_finish(w->writer.lane, err);
}

static int run_copier(struct worker *lane, struct error *err)
{
    struct copier *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    w->plan = ((struct copy_worker *)lane)->plan;
    r = copy_chunks(w, err);
    chunk_reader_close(&w->reader);
    chunk_writer_close(&w->writer);
    free(w);
    return r;
}

int copy_worker_start(struct copy_worker *lane, struct local_plan *plan,
                      unsigned number, struct error *err)
{
    lane->plan = plan;
    return worker_start(&lane->lane, plan->job, &plan->running, number,
                        run_copier, err);
}
