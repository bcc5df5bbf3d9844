#include "job/watchdog.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "job/job_status.h"
#include "job/public_types.h"

/* Maximum wait for I/O in flight on a disk that has completed nothing for the
 * whole stall timeout. */
#define GRACE_NS (5 * CLOCK_SECOND_NS)
/* When to warn about the wait.  It is not a failure yet: the kernel gives up a
 * command after 30 s by default, and the disk may answer on another path. */
#define PATIENCE_NS (10 * CLOCK_SECOND_NS)

void watchdog_start(struct cw_job *job)
{
    job->status.moved_ns = clock_now_ns();
    job->status.is_warned = false;
}

uint64_t watchdog_enter_disk(struct cw_job *job, const char *path,
                             uint64_t offset)
{
    atomic_store(&job->status.wait_path, path);
    atomic_store(&job->status.wait_offset, offset);
    atomic_fetch_add(&job->status.at_disk, 1);
    return clock_now_ns();
}

void watchdog_leave_disk(struct cw_job *job, uint64_t start_ns)
{
    atomic_fetch_sub(&job->status.at_disk, 1);
    job_waited(&job->status.progress.wait_disk_ns, start_ns);
}

struct io *watchdog_reap(struct cw_job *job, struct io_queue *queue,
                         const char *path, uint64_t offset)
{
    uint64_t start_ns = watchdog_enter_disk(job, path, offset);
    struct io *io = io_queue_reap(queue, true);

    watchdog_leave_disk(job, start_ns);
    return io;
}

static uint64_t moved(const struct cw_job *job)
{
    const struct progress *p = &job->status.progress;

    return progress_get(&p->handled_bytes) + progress_get(&p->data_bytes) +
           progress_get(&p->zero_bytes) + progress_get(&p->zeroed_bytes) +
           progress_get(&p->resumed_bytes) + progress_get(&p->surveyed_bytes) +
           progress_get(&p->verified_bytes) + job->status.wire_bytes;
}

static const char *side(const struct cw_job *job)
{
    return job->is_source ? "source" : "target";
}

/* Which end the disk at path belongs to; a local copy has both. */
static const char *side_of(const struct cw_job *job, const char *path)
{
    return !job->credentials.tls && path == job->status.disk_path ? "target"
                                                                  : side(job);
}

/* Describes what the lanes wait for. */
static void describe_lanes(const struct cw_job *job, unsigned long long seconds,
                           struct error *err)
{
    unsigned at_disk = atomic_load(&job->status.at_disk);
    const char *path = atomic_load(&job->status.wait_path);

    if (at_disk == 0)
        error_set(err, ERROR_TEMPORARY, 0,
                  "no progress for %llu s: no lane waits for the %s's disk, "
                  "all wait for the network or the other side",
                  seconds, side(job));
    else
        error_set_at(
            err, ERROR_TEMPORARY, 0, atomic_load(&job->status.wait_offset),
            "no progress for %llu s: %u of %u lanes wait for the %s's "
            "disk, %s, at offset %llu%s",
            seconds, at_disk, job->resources.lanes, side_of(job, path), path,
            (unsigned long long)atomic_load(&job->status.wait_offset),
            at_disk < job->resources.lanes
                ? "; the others for the network or the other side"
                : "");
}

static void describe(const struct cw_job *job, struct error *err)
{
    unsigned long long seconds = job->tuning.stall_ns / CLOCK_SECOND_NS;

    if (job->status.phase == CW_PHASE_COPYING)
        describe_lanes(job, seconds, err);
    else
        error_set(err, ERROR_TEMPORARY, 0,
                  "no progress for %llu s while %s: the %s's disk, %s, does "
                  "not answer",
                  seconds, job_phase_name(job->status.phase),
                  side_of(job, job->status.disk_path), job->status.disk_path);
}

/* Warns once, and again after the disk has answered in between. */
static void warn_of_disk(struct cw_job *job)
{
    bool is_copying = job->status.phase == CW_PHASE_COPYING;
    const char *path = is_copying ? atomic_load(&job->status.wait_path)
                                  : job->status.disk_path;

    if (job->status.is_warned ||
        (is_copying && atomic_load(&job->status.at_disk) == 0))
        return;
    job->status.is_warned = true;
    log_warn("the %s's disk, %s, has not answered for %llu s",
             side_of(job, path), path,
             (unsigned long long)(PATIENCE_NS / CLOCK_SECOND_NS));
}

void watchdog_check(struct cw_job *job)
{
    uint64_t now_ns = clock_now_ns(), now_moved = moved(job);
    struct error err;

    if (now_moved != job->status.moved) {
        job->status.moved = now_moved;
        job->status.moved_ns = now_ns;
        job->status.is_warned = false;
    }
    if (job_state_stopping(&job->state))
        return;
    if (now_ns - job->status.moved_ns >= PATIENCE_NS)
        warn_of_disk(job);
    if (now_ns - job->status.moved_ns < job->tuning.stall_ns)
        return;
    job_log_status(job);
    describe(job, &err);
    atomic_store(&job->state.is_stalled, true);
    job_state_fail(&job->state, &err);
}

/* Ends the process without the blocked thread. */
static void give_up(struct cw_job *job)
{
    struct cw_error error;
    struct error first, err;

    if (!job->events.stuck || !job_state_first_error(&job->state, &first))
        return;
    error_set_at(&err, first.kind, 0, first.offset,
                 "%s; I/O on the %s's disk never completed, exiting without it",
                 first.text, side(job));
    err.errnum = first.errnum;
    err.from_peer = first.from_peer;
    public_error_fill(&error, &err);
    job->events.stuck(job->events.opaque, &error);
}

/* False: the thread did not end within a second. */
static bool try_join(pthread_t thread)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    return pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT;
}

static uint64_t max_ns(struct cw_job *job)
{
    uint64_t stall_ns = job->tuning.stall_ns;

    if (atomic_load(&job->state.is_stalled) && stall_ns > GRACE_NS)
        return GRACE_NS;
    return stall_ns;
}

void watchdog_join(struct cw_job *job, pthread_t thread)
{
    uint64_t start_ns = clock_now_ns();
    bool has_warned = false;

    while (!try_join(thread)) {
        uint64_t waited_ns = clock_now_ns() - start_ns;

        if (!job_state_stopping(&job->state)) {
            start_ns = clock_now_ns();
            continue;
        }
        if (waited_ns >= max_ns(job))
            give_up(job);
        if (waited_ns >= PATIENCE_NS && !has_warned) {
            log_warn("waiting for what is in flight at the %s's disk",
                     side(job));
            has_warned = true;
        }
    }
}
