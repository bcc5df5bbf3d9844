/*
 * source.c - the source process: maps the disk, dials the target, runs the
 * lanes, and ends only when the target says the copy is equal and durable.
 *
 * A clone is one session or, when connections are lost, several: each covers
 * the whole disk, but sends only the data that the target does not hold.
 */
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "image/image_identity.h"
#include "job/job_status.h"
#include "job/rate_limit.h"
#include "job/watchdog.h"
#include "plan/chunk_grid.h"
#include "resume/changed_extents.h"
#include "resume/source_identity.h"
#include "transfer/chunk_reader.h"
#include "transfer/disk_options.h"

#define HANDSHAKE_MS 10000U
/* The target scans in order; lanes that do not would only wait. */
#define SURVEY_CHUNKS 16U

/* ---- before dialling ---- */

/* The permission bits that a copy in a file is to have; 0: the target's. */
static uint16_t mode_for_copy(const struct cw_source_options *options)
{
    struct stat st;

    return options->copy_mode && stat(options->image, &st) == 0 &&
                   S_ISREG(st.st_mode)
               ? st.st_mode & 0777
               : 0;
}

/* Fills plan.changed from the list or the bitmap. */
static int list_changed(struct source *s, struct error *err)
{
    if (s->options.changed_extents)
        return changed_extents_read(s->options.changed_extents,
                                    s->plan.virtual_bytes, &s->plan.changed,
                                    err);
    if (chunk_bitmap_init(&s->plan.changed,
                          chunk_grid_count(s->plan.virtual_bytes), err) < 0)
        return -1;
    return image_changed(s->image, &s->plan.changed, err);
}

static int open_disk(struct source *s, struct error *err)
{
    disk_options_image(&s->options, &s->plan.image);
    s->plan.image.takes_any_order = true;
    s->plan.image.stop_fd = s->job.state.stop_fd;
    if (image_open(&s->plan.image, &s->image, err) < 0)
        return -1;
    s->plan.image.like = s->image;
    s->plan.virtual_bytes = s->job.status.disk_bytes = s->image->virtual_bytes;
    s->job.status.padding_bytes = s->image->padding_bytes;
    s->file_mode = mode_for_copy(&s->options);
    s->is_identified = source_identify(s->image, s->identity);
    s->has_identity = !s->options.allow_in_use && s->is_identified;
    s->plan.has_changed = (s->options.changed_extents || s->options.bitmap) &&
                          s->pass != 1;
    if (chunk_bitmap_init(&s->plan.seen,
                          chunk_grid_count(s->plan.virtual_bytes), err) < 0)
        return -1;
    if (s->plan.has_changed && list_changed(s, err) < 0)
        return -1;
    return digest_open(source_digest(s), s->plan.virtual_bytes,
                       &s->job.status.digest, err);
}

/* ---- the session ---- */

/*
 * Mixes missing chunks with chunks that the target is still scanning: both
 * advance together, so that neither the network nor the disks wait.  Does
 * nothing for an image that is read in order or in large blocks.
 */
static int mix_order(struct source *s)
{
    const struct chunk_bitmap *missing = &s->plan.peer_chunks.missing;
    struct error err;

    work_order_fini(&s->plan.order);
    if (!s->plan.peer_chunks.surveys || chunk_bitmap_count(missing) == 0 ||
        image_has_order(s->image) || s->image->is_sequential ||
        chunk_reader_step(s->image) > 1)
        return 0;
    if (work_order_mix(&s->plan.order, missing, &err) < 0) {
        job_state_fail(&s->job.state, &err);
        return -1;
    }
    s->plan.work.order = &s->plan.order;
    return 0;
}

static int start_lanes(struct source *s)
{
    struct error err;

    work_queue_init(&s->plan.work, chunk_grid_count(s->plan.virtual_bytes),
                    s->job.resources.lanes, chunk_reader_step(s->image));
    if (s->plan.peer_chunks.surveys)
        s->plan.work.max = SURVEY_CHUNKS;
    if (mix_order(s) < 0)
        return -1;
    s->plan.conn.role = CONN_DATA;
    s->plan.conn.stop_fd = s->job.state.stop_fd;
    s->plan.conn.beside = s->session.channel.conn;
    memset(s->paths, 0, sizeof(s->paths));
    for (unsigned i = 0; i < s->job.resources.lanes; i++) {
        if (send_worker_start(&s->lanes[i], &s->plan, i, &err) < 0) {
            job_state_fail(&s->job.state, &err);
            return -1;
        }
    }
    return 0;
}

static int copy(struct source *s)
{
    struct message message;

    job_enter(&s->job, CW_PHASE_COPYING);
    if (start_lanes(s) < 0)
        return -1;
    watchdog_start(&s->job);
    while (atomic_load(&s->plan.running) > 0) {
        int r = session_step(&s->session, &message);

        source_watch_lanes(s);
        watchdog_check(&s->job);

        if (r < 0)
            return -1;
        if (r > 0 && peer_chunks_receive(&s->plan.peer_chunks, &s->session,
                                         &message) < 0)
            return -1;
    }
    return job_state_stopping(&s->job.state) ? -1 : 0;
}

/* True if err is about a chunk that was not read because the list of changed
 * extents does not contain it. */
static bool is_unlisted(const struct source *s, const struct error *err)
{
    return s->plan.has_changed && err->kind == ERROR_CHANGED &&
           err->offset != ERROR_NO_OFFSET &&
           !chunk_bitmap_has(&s->plan.changed, err->offset / CHUNK_BYTES);
}

static int refuse_list(const struct source *s, struct error *err)
{
    return error_set_at(err, ERROR_CHANGED, 0, err->offset,
                        "%s is incomplete: the disk also differs from the "
                        "older copy at offset %" PRIu64,
                        s->options.changed_extents ? s->options.changed_extents
                                                   : s->options.bitmap,
                        err->offset);
}

/* The disk must not have changed while it was copied. */
static int check_same(void *arg, struct error *err)
{
    struct source *s = arg;
    struct disk_scan scan = source_survey(s);

    if (source_check_same(&scan, s->job.status.digest, err) == 0)
        return 0;
    return is_unlisted(s, err) ? refuse_list(s, err) : -1;
}

/* Reads samples again while heartbeats continue: a slow disk takes its time.  A
 * user who allows the image to be in use allows it to change. */
static int confirm_same(struct source *s)
{
    if (s->options.allow_in_use) {
        source_note_mixture(s->image, s->is_identified ? s->identity : NULL,
                            &s->job.status.progress);
        return 0;
    }
    return task_run(&s->task, &s->job, check_same, source_stay_alive, s);
}

static void summarize(const struct source *s, struct cw_summary *summary)
{
    uint8_t root[DIGEST_ROOT_BYTES];

    job_summarize(&s->job, summary);
    summary->allocated_bytes = s->done.allocated_bytes;
    summary->io_mode = file_mode_name(s->image->mode);
    summary->reads_holes = s->image->reads_holes;
    snprintf(summary->image_format, sizeof(summary->image_format), "%s",
             s->image->format_text);
    snprintf(summary->tls, sizeof(summary->tls), "%s", s->job.status.cipher);
    snprintf(summary->peer, sizeof(summary->peer), "%s", s->peer);
    digest_root(s->job.status.digest, root);
    digest_format(source_digest(s), root, summary->digest);
}

/* The clone is complete even if its receipt cannot be written. */
static int write_receipt(void *arg, struct error *err)
{
    struct source *s = arg;
    struct cw_summary summary = { 0 };

    (void)err;
    summarize(s, &summary);
    s->receipt_failed = job_write_receipt(&s->job, &summary,
                                          &s->receipt_error) < 0;
    return 0;
}

/* Compares the target's digest with ours. */
static int take_done(struct source *s)
{
    struct message message = { .type = MESSAGE_BYE };
    uint8_t root[DIGEST_ROOT_BYTES];
    struct error err;

    session_note_arrived(&s->job);
    job_enter(&s->job, CW_PHASE_VERIFYING);
    atomic_store(&s->job.status.progress.unverified_bytes,
                 s->done.unverified_bytes);
    digest_root(s->job.status.digest, root);
    if (memcmp(root, s->done.root, sizeof(root)) != 0) {
        error_set(&err, ERROR_MISMATCH, 0,
                  "target's digest differs from the source's");
        job_state_fail(&s->job.state, &err);
        return -1;
    }
    /* If killed before this is done, the source can still ask the target again. */
    if (s->job.events.receipt &&
        task_run(&s->task, &s->job, write_receipt, source_stay_alive, s) < 0)
        return -1;
    if (channel_send(&s->session.channel, &message, &err) < 0)
        log_warn("cannot send BYE: %s", err.text);
    return 0;
}

/*
 * Waits until the target is done.  Unacknowledged bytes may be stuck.
 * Acknowledged bytes may still be in a slow proxy; the target watches those.
 */
static int await_done(struct source *s, struct message *message)
{
    watchdog_start(&s->job);
    for (;;) {
        int r = session_step(&s->session, message);

        if (r < 0)
            return -1;
        if (r > 0)
            return message->type == MESSAGE_DONE
                       ? 0
                       : session_unexpected(&s->session, message);
        source_watch_lanes(s);
        if (s->job.status.unacked_bytes > 0)
            watchdog_check(&s->job);
        else
            watchdog_start(&s->job);
    }
}

static int finish(struct source *s)
{
    struct message message = { .type = MESSAGE_FINISH };

    if (confirm_same(s) < 0)
        return -1;
    digest_root(s->job.status.digest, message.finish.root);
    message.finish.waits = job_waits(&s->job);
    message.finish.unread_bytes = progress_get(
        &s->job.status.progress.unread_bytes);
    message.finish.is_mixed = progress_get(&s->job.status.progress.is_mixed) !=
                              0;
    s->has_finished = s->session.is_sent = true;
    if (session_send(&s->session, &message) < 0 || await_done(s, &message) < 0)
        return -1;
    s->done = message.done;
    s->job.status.peer_waits = message.done.waits;
    return take_done(s);
}

/* The server of the image was lost, and nothing proves that it serves the same
 * disk again: all of it is read, and its bitmap too, as after a start. */
static int read_again(struct source *s, struct error *err)
{
    log_info("%s was lost and is back: reading all of it again, as it may "
             "have changed",
             s->options.image);
    chunk_bitmap_clear(&s->plan.seen);
    atomic_store(&s->job.status.progress.handled_bytes, 0);
    if (!s->options.bitmap)
        return 0;
    chunk_bitmap_fini(&s->plan.changed);
    return list_changed(s, err);
}

static int check_unchanged(void *arg, struct error *err)
{
    struct source *s = arg;
    int r = image_check_same(s->image, err);

    return r > 0 ? read_again(s, err) : r;
}

/*
 * Between two sessions the disk may have changed: nothing is sent of a state
 * that is not the one the target holds the rest of.  After FINISH it may
 * change, as the target may have all of it.  A directory is walked once, at the
 * end.
 */
static int confirm_unchanged(struct source *s)
{
    if (s->has_finished || s->image->tree)
        return 0;
    return task_run(&s->task, &s->job, check_unchanged, source_stay_alive, s);
}

static int converse(struct source *s)
{
    int r = confirm_unchanged(s) < 0 ? -1 : source_negotiate(s);

    if (r < 0)
        return -1;
    if (r > 0)
        return take_done(s);
    if (source_trust(s) < 0)
        return -1;
    return copy(s) < 0 ? -1 : finish(s);
}

static void end_lanes(struct source *s)
{
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        send_worker_interrupt(&s->lanes[i]);
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        send_worker_join(&s->lanes[i]);
}

/* One session from the call to its end.  -1: *err says why it failed. */
static int hold_session(struct source *s, uint64_t deadline_ns,
                        struct error *err)
{
    int r;

    if (source_call(s, deadline_ns, err) < 0)
        return -1;
    r = converse(s);
    if (r < 0)
        session_settle_error(&s->session);
    end_lanes(s);
    session_close(&s->session);
    if (r < 0)
        job_state_first_error(&s->job.state, err);
    return r;
}

static int run_pass(struct source *s, struct error *err)
{
    uint64_t deadline_ns = clock_now_ns() + s->options.connect_timeout_ns;

    job_enter(&s->job, CW_PHASE_PLANNING);
    if (disk_options_measure(s->image, &s->job.status.total_bytes, err) < 0)
        return -1;
    while (hold_session(s, deadline_ns, err) < 0) {
        bool has_begun = s->job.status.start_ns > 0;

        /* Until the clone has begun, the connect timeout limits all tries. */
        if ((!has_begun && clock_now_ns() >= deadline_ns) ||
            !source_calls_again(s, err))
            return error_wrap(err, "clone %s to %s", s->options.image,
                              s->options.target);
        if (has_begun)
            deadline_ns = s->retry.deadline_ns;
    }
    return 0;
}

static int source_run(struct cw_job *job, struct cw_summary *summary,
                      struct error *err)
{
    static const struct source_pass pass = { open_disk, run_pass };
    struct source *s = (struct source *)job;

    source_name_job(&s->options, &s->plan.target, s->plan.virtual_bytes,
                    job->status.id);
    snprintf(job->status.format, sizeof(job->status.format), "%s",
             s->image->format_text);
    job_set_ready(job);
    if (source_follow_run(s, &pass, err) < 0)
        return -1;
    job_enter(job, CW_PHASE_DONE);
    summarize(s, summary);
    if (s->receipt_failed)
        *err = s->receipt_error;
    return s->receipt_failed ? -1 : 0;
}

static void source_free(struct cw_job *job)
{
    struct source *s = (struct source *)job;

    end_lanes(s);
    session_close(&s->session);
    peer_chunks_close(&s->plan.peer_chunks);
    work_order_fini(&s->plan.order);
    chunk_bitmap_fini(&s->plan.seen);
    chunk_bitmap_fini(&s->plan.changed);
    image_close(s->image);
    job_fini(job);
    free(s);
}

static int set_rate(struct source *s, struct error *err)
{
    uint64_t rate;

    if (rate_limit_read(s->options.rate_file, &rate, err) < 0)
        return -1;
    rate_limit_set(&s->plan.rate_limit, rate);
    return 0;
}

static void reload(struct cw_job *job)
{
    struct source *s = (struct source *)job;
    struct error err;
    char text[32];

    if (!s->options.rate_file)
        return;
    if (set_rate(s, &err) < 0)
        log_warn("%s; the rate limit stays as it was", err.text);
    else
        log_info(
            "the rate limit is now %s a second (0: no limit)",
            format_bytes(text, sizeof(text),
                         atomic_load(&s->plan.rate_limit.bytes_per_second)));
}

static int build(struct source *s, const struct cw_source_options *options,
                 struct error *err)
{
    s->job.run = source_run;
    s->job.free = source_free;
    s->options = *options;
    s->is_paired = options->security.pairing_code != NULL;
    s->options.security.pairing_code = NULL; /* the caller may wipe it */
    s->plan.job = &s->job;
    s->job.status.disk_path = options->image;
    if (job_init(&s->job, true, &options->security, &options->tuning,
                 &options->events, err) < 0)
        return -1;
    s->plan.conn = (struct conn_options){
        .handshake_timeout_ms = HANDSHAKE_MS,
        .dead_peer_ms = (unsigned)(s->job.tuning.dead_peer_ns / CLOCK_MS_NS),
        .congestion = options->tuning.congestion,
        .bind_address = options->tuning.bind_address,
        .bind_device = options->tuning.bind_device,
    };
    s->retry.budget_ns = s->job.tuning.retry_ns;
    s->job.reload = reload;
    rate_limit_set(&s->plan.rate_limit, options->bytes_per_second);
    if (options->rate_file && set_rate(s, err) < 0)
        return -1;
    s->plan.compress = options->compress;
    if (addr_parse(options->target, &s->plan.target, err) < 0)
        return -1;
    source_follow_init(s);
    return open_disk(s, err);
}

struct cw_job *source_open(const struct cw_source_options *options,
                           const struct job_observer *observer,
                           struct error *err)
{
    struct source *s = calloc(1, sizeof(*s));

    if (!s) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start the source");
        return NULL;
    }
    s->job.observer = observer;
    if (build(s, options, err) == 0)
        return &s->job;
    source_free(&s->job);
    return NULL;
}
