#include "target/target_scan.h"

#include <inttypes.h>
#include <poll.h>

#include "base/log.h"
#include "resume/announce_chunks.h"
#include "transfer/disk_scan.h"
#include "transfer/readback.h"

/* How often to look whether the source has caught up. */
#define LOOK_MS 2

/* The leaves that are kept are those the source has not dealt with. */
static int make_room(struct target *t, struct error *err)
{
    struct pollfd fd = { .fd = t->job.state.stop_fd, .events = POLLIN };

    while (!leaf_cache_has_room(&t->plan.leaves))
        if (poll(&fd, 1, LOOK_MS) > 0)
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
    return 0;
}

/* The digest is in its place: the chunk is on disk and may be announced. */
static int note_chunk(void *opaque, uint64_t chunk, const uint8_t *leaves,
                      const uint8_t *sums, struct error *err)
{
    struct target *t = opaque;

    if (leaves) {
        if (make_room(t, err) < 0)
            return -1;
        leaf_cache_put(&t->plan.leaves, chunk, leaves, sums);
    }
    if (!checkpointer_found(&t->checkpointer, chunk))
        atomic_fetch_add(&t->differing, 1);
    chunk_bitmap_add(&t->plan.found, chunk, 1);
    job_state_wake(&t->job.state);
    return 0;
}

static int scan_disk(void *arg, struct error *err)
{
    struct target *t = arg;
    struct disk_scan scan = {
        .engine = t->job.resources.queue_engine,
        .image = readback_image(&t->job, t->sink),
        .virtual_bytes = t->plan.virtual_bytes,
        .stop = &t->job.state.stop,
        .skip = &t->plan.found,
        .done_bytes = &t->job.status.progress.surveyed_bytes,
        .wants_sums = t->plan.has_sums,
        .found = note_chunk,
        .opaque = t,
    };

    sink_drop_cache(t->sink);         /* what counts is on the disk */
    if (t->plan.virtual_bytes == 0 || /* which a scan takes for all */
        disk_scan_run(&scan, t->job.status.digest, err) == 0)
        return 0;
    return readback_failed(err, "what the target holds");
}

/* What was announced before GO: it is on disk, or unknown. */
static void settle(const struct target_plan *plan, struct chunk_bitmap *set)
{
    uint64_t at = 0, first, count;

    chunk_bitmap_copy(set, &plan->on_disk);
    while (plan->has_hint) {
        bool more = chunk_bitmap_next(&plan->hint, at, &first, &count);

        chunk_bitmap_add(set, at, first - at);
        if (!more)
            break;
        at = first + count;
    }
}

static int open_sets(struct target *t, struct error *err)
{
    struct target_plan *plan = &t->plan;
    uint64_t chunks = plan->on_disk.chunks;

    chunk_bitmap_fini(&plan->found);
    chunk_bitmap_fini(&plan->announced);
    leaf_cache_close(&plan->leaves);
    t->announced_to = 0;
    if (chunk_bitmap_init(&plan->found, chunks, err) < 0 ||
        chunk_bitmap_init(&plan->announced, chunks, err) < 0 ||
        leaf_cache_open(&plan->leaves, digest_each(t->job.status.digest),
                        plan->has_sums, err) < 0)
        return -1;
    settle(plan, &plan->found);
    settle(plan, &plan->announced);
    return 0;
}

void target_scan_again(struct target *t)
{
    uint64_t chunk;

    while (t->plan.is_surveyed && leaf_cache_take_any(&t->plan.leaves, &chunk))
        chunk_bitmap_remove(&t->plan.on_disk, chunk, 1);
}

int target_scan_tell_missing(struct target *t)
{
    struct chunk_bitmap known = { 0 };
    uint64_t first, count;
    struct error err;
    int r;

    if (!t->plan.is_surveyed || !t->plan.has_hint)
        return 0;
    if (chunk_bitmap_init(&known, t->plan.on_disk.chunks, &err) < 0) {
        job_state_fail(&t->job.state, &err);
        return -1;
    }
    chunk_bitmap_copy(&known, &t->plan.hint);
    for (uint64_t at = 0;
         chunk_bitmap_next(&t->plan.on_disk, at, &first, &count);
         at = first + count)
        chunk_bitmap_add(&known, first, count);
    r = announce_chunks_missing(&t->session.control, &known);
    chunk_bitmap_fini(&known);
    return r;
}

int target_scan_start(struct target *t)
{
    struct error err;

    if (!t->plan.is_surveyed)
        return 0;
    log_info("reading what %s holds", t->options.destination);
    if (open_sets(t, &err) == 0 &&
        task_start(&t->scan, &t->job, scan_disk, t, &err) == 0)
        return 0;
    job_state_fail(&t->job.state, &err);
    return -1;
}

/* The next run of chunks found and not yet announced; 0: there is none yet. */
static uint64_t next_found(struct target *t)
{
    uint64_t chunks = t->plan.found.chunks, end;

    while (t->announced_to < chunks &&
           chunk_bitmap_has(&t->plan.announced, t->announced_to))
        t->announced_to++;
    end = t->announced_to;
    while (end < chunks && chunk_bitmap_has(&t->plan.found, end) &&
           !chunk_bitmap_has(&t->plan.announced, end))
        end++;
    return end - t->announced_to;
}

int target_scan_tick(struct target *t)
{
    uint64_t count;
    struct error err;

    if (!t->plan.is_surveyed || t->announced_to == t->plan.found.chunks)
        return 0;
    if (task_is_done(&t->scan) && task_join(&t->scan, &err) < 0) {
        job_state_fail(&t->job.state, &err);
        return -1;
    }
    while ((count = next_found(t)) > 0) {
        int n = announce_chunks_found(&t->session.control, t->announced_to,
                                      count, t->job.status.digest,
                                      &t->plan.leaves, &t->plan.announced);

        if (n < 0)
            return -1;
    }
    return 0;
}

int target_scan_end(struct target *t)
{
    uint64_t differing = atomic_exchange(&t->differing, 0);
    struct error err;

    if (differing > 0)
        log_warn("%s: %" PRIu64 " chunks were not what the checkpoint claimed",
                 t->options.destination, differing);
    if (task_join(&t->scan, &err) == 0)
        return 0;
    job_state_fail(&t->job.state, &err);
    return -1;
}
