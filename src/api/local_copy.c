/*
 * local_copy.c - a copy on one machine: the source's image and the target's
 * sink in one process, without a network.
 *
 *   planning (task) -> copying (lanes) -> flushing (task)
 *      -> verifying (task) -> done
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/jobs.h"
#include "api/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "image/image_identity.h"
#include "job/job_status.h"
#include "job/public_types.h"
#include "job/task.h"
#include "job/watchdog.h"
#include "plan/chunk_grid.h"
#include "resume/source_identity.h"
#include "tar/tree_index.h"
#include "transfer/chunk_reader.h"
#include "transfer/copy_worker.h"
#include "transfer/disk_options.h"
#include "transfer/readback.h"
#include "wire/message.h"

struct local {
    struct cw_job job; /* first: the API's handle is this */
    const char *from, *to;
    enum digest_algorithm algorithm;
    bool verifies; /* by reading the disk back */
    bool allow_in_use;
    bool is_identified;
    uint8_t
        identity[MESSAGE_IDENTITY_BYTES]; /* of the image, as it was opened */
    struct image *image; /* map only; each lane opens its own */
    struct sink *sink;
    struct local_plan plan;
    struct copy_worker lanes[MESSAGE_MAX_LANES];
    struct task task;
    uint64_t measured_bytes; /* owned by the task while it runs */
};

/* ---- the main thread ---- */

/* One tick: reports progress, checks for a stop.  -1: the job must end. */
static int local_tick(void *arg)
{
    struct local *l = arg;
    struct cw_job *job = &l->job;

    atomic_store(&job->status.progress.zeroed_bytes,
                 sink_zeroed_bytes(l->sink));
    job_report(job);
    if (job_state_must_end(&job->state)) {
        sink_stop(l->sink);
        return -1;
    }
    job_state_wait(&job->state, -1, JOB_TICK_MS);
    return 0;
}

/* Runs work on the task's thread, with ticks on this one. */
static int run_local_task(struct local *l,
                          int (*work)(void *arg, struct error *err))
{
    return task_run(&l->task, &l->job, work, local_tick, l);
}

static int run_phase(struct local *l, enum cw_phase phase,
                     int (*work)(void *arg, struct error *err))
{
    job_enter(&l->job, phase);
    return run_local_task(l, work);
}

/* ---- the phases ---- */

/* The sink has an index of its own. */
static int set_tree(struct local *l, struct error *err)
{
    struct tree_index *index = NULL;

    return l->image->tree && tree_index_copy(l->image->tree, &index, err) < 0
               ? -1
               : sink_set_tree(l->sink, index, err);
}

static int prepare(void *arg, struct error *err)
{
    struct local *l = arg;

    if (disk_options_measure(l->image, &l->measured_bytes, err) < 0)
        return -1;
    sink_set_source(l->sink, disk_options_stored(l->image, l->measured_bytes),
                    0);
    if (set_tree(l, err) < 0)
        return -1;
    return sink_prepare(l->sink, l->plan.virtual_bytes, err);
}

static int copy(struct local *l)
{
    struct cw_job *job = &l->job;
    struct error err;

    job->status.total_bytes = l->measured_bytes;
    job->resources.lanes = l->image->is_sequential || l->image->is_one_lane
                               ? 1
                               : job_lanes_wanted(job, l->image->is_decoded);
    if (job->resources.lanes > MESSAGE_MAX_LANES)
        job->resources.lanes = MESSAGE_MAX_LANES;
    job_enter(job, CW_PHASE_COPYING);
    work_queue_init(&l->plan.work, chunk_grid_count(l->plan.virtual_bytes),
                    job->resources.lanes, chunk_reader_step(l->image));
    for (unsigned i = 0; i < job->resources.lanes; i++) {
        if (copy_worker_start(&l->lanes[i], &l->plan, i, &err) < 0) {
            job_state_fail(&job->state, &err);
            break;
        }
    }
    watchdog_start(job);
    while (atomic_load(&l->plan.running) > 0 && local_tick(l) == 0)
        watchdog_check(job);
    return job_state_stopping(&job->state) ? -1 : 0;
}

static int flush(void *arg, struct error *err)
{
    struct local *l = arg;

    return sink_finish(l->sink, err);
}

static int read_back(struct local *l, struct error *err)
{
    struct readback what = {
        .sink = l->sink,
        .path = l->to,
        .algorithm = l->algorithm,
        .virtual_bytes = l->plan.virtual_bytes,
    };

    return readback_verify(&l->job, &what, err);
}

/* Checks that the source did not change, unless --allow-in-use permits it. */
static int check_same(struct local *l, struct error *err)
{
    struct disk_scan scan = {
        .image = l->plan.image,
        .engine = l->job.resources.queue_engine,
        .virtual_bytes = l->plan.virtual_bytes,
        .stop = &l->job.state.stop,
    };

    if (l->allow_in_use) {
        source_note_mixture(l->image, l->is_identified ? l->identity : NULL,
                            &l->job.status.progress);
        return 0;
    }
    return source_check_same(&scan, l->job.status.digest, err);
}

/* Gives the copy its final name once it is durable and verified. */
static int verify(void *arg, struct error *err)
{
    struct local *l = arg;

    if (l->verifies && read_back(l, err) < 0)
        return -1;
    if (check_same(l, err) < 0)
        return -1;
    return sink_commit(l->sink, err);
}

static void summarize(const struct local *l, struct cw_summary *summary)
{
    uint8_t root[DIGEST_ROOT_BYTES];
    struct sink_report report;

    sink_get_report(l->sink, &report);
    job_summarize(&l->job, summary);
    summary->limited_by[0] = '\0'; /* there are no two sides to compare */
    summary->allocated_bytes = report.allocated_bytes;
    summary->io_mode = file_mode_name(report.mode);
    summary->reads_holes = l->image->reads_holes;
    summary->zero_method = report.zero_method;
    summary->preallocation = report.preallocation;
    snprintf(summary->preallocation_why, sizeof(summary->preallocation_why),
             "%s", report.preallocation_why);
    snprintf(summary->image_format, sizeof(summary->image_format), "%s",
             l->image->format_text);
    digest_root(l->job.status.digest, root);
    digest_format(l->algorithm, root, summary->digest);
}

static int local_run(struct cw_job *job, struct cw_summary *summary,
                     struct error *err)
{
    struct local *l = (struct local *)job;

    job->status.start_ns = clock_now_ns();
    if (run_phase(l, CW_PHASE_PLANNING, prepare) == 0 && copy(l) == 0 &&
        run_phase(l, CW_PHASE_FLUSHING, flush) == 0 &&
        run_phase(l, CW_PHASE_VERIFYING, verify) == 0) {
        job_enter(job, CW_PHASE_DONE);
        summarize(l, summary);
        return job_write_receipt(job, summary, err);
    }
    job_state_first_error(&job->state, err);
    return error_wrap(err, "copy %s to %s", l->from, l->to);
}

/* ---- before and after ---- */

static void local_free(struct cw_job *job)
{
    struct local *l = (struct local *)job;
    struct error ignored;

    task_join(&l->task, &ignored);
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        worker_join(&l->lanes[i].lane);
    sink_close(l->sink);
    image_close(l->image);
    job_fini(job);
    free(l);
}

static int build(struct local *l, const struct cw_source_options *source,
                 const struct cw_target_options *target, struct error *err)
{
    struct sink_options sink;

    l->allow_in_use = source->allow_in_use;
    l->job.run = local_run;
    l->job.free = local_free;
    l->from = source->image;
    l->to = target->destination;
    l->algorithm = public_digest(source->digest);
    l->verifies = target->verify_readback;
    l->plan.job = &l->job;
    l->job.status.disk_path = l->to;
    if (job_init(&l->job, true, NULL, &source->tuning, &source->events, err) <
        0)
        return -1;
    disk_options_image(source, &l->plan.image);
    l->plan.image.takes_any_order = true;
    l->plan.image.stop_fd = l->job.state.stop_fd;
    disk_options_sink(target, &sink);
    sink.mode = l->plan.image.mode;
    if (image_open(&l->plan.image, &l->image, err) < 0 ||
        image_check_apart(l->image, l->to, err) < 0 ||
        sink_open(&sink, &l->sink, err) < 0)
        return -1;
    l->is_identified = source_identify(l->image, l->identity);
    l->plan.image.like = l->image;
    l->plan.sink = l->sink;
    l->plan.virtual_bytes = l->job.status.disk_bytes = l->image->virtual_bytes;
    l->job.status.padding_bytes = l->image->padding_bytes;
    return digest_open(l->algorithm, l->plan.virtual_bytes,
                       &l->job.status.digest, err);
}

struct cw_job *local_open(const struct cw_source_options *source,
                          const struct cw_target_options *target,
                          struct error *err)
{
    struct local *l = calloc(1, sizeof(*l));

    if (!l) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start a copy");
        return NULL;
    }
    if (build(l, source, target, err) == 0)
        return &l->job;
    local_free(&l->job);
    return NULL;
}
