/*
 * source.c - the source process: maps the disk, calls the target, runs the
 * lanes, and ends only when the target says the copy is equal and durable.
 *
 * A clone is one session or, when connections are lost, several: each tells
 * the target all of the disk, but sends only what the target does not hold.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "flow/chunks.h"
#include "flow/ends.h"
#include "flow/errand.h"
#include "flow/have.h"
#include "flow/retry.h"
#include "flow/session.h"
#include "flow/source_lane.h"
#include "flow/source_same.h"
#include "plan/grid.h"

#define HANDSHAKE_MS       10000U
#define RETRY_FIRST_MS     100U
#define RETRY_MOST_MS      2000U
#define CONNECT_DEFAULT_NS (30 * CLOCK_SECOND_NS)

struct source {
    struct cw_job job; /* first: the API's handle is this */
    struct cw_source_options options;
    struct guard guard;
    struct image *image; /* map only; each lane opens its own */
    struct source_plan plan;
    struct source_lane lanes[MESSAGE_MAX_LANES];
    struct session session;
    struct retry retry;
    struct errand errand;
    uint64_t held_most; /* chunks the target ever told to hold */
    bool has_finished;  /* FINISH was sent: the target knows our root */
    struct message_done done;
    bool is_paired; /* by a code */
    char peer[128];
};

/* ---- before the call ---- */

static enum digest_algorithm digest_wanted(const struct source *s)
{
    return s->options.digest == CW_DIGEST_SHA256 ? DIGEST_SHA256
                                                 : DIGEST_XXH3_128;
}

static int open_disk(struct source *s, struct error *err)
{
    source_image_options(&s->options, &s->plan.image);
    if (guard_open(&s->guard, s->options.image, s->options.allow_in_use, err) <
        0)
        return -1;
    if (image_open(&s->plan.image, &s->image, err) < 0)
        return -1;
    s->plan.image.like = s->image;
    s->plan.virtual_bytes = s->job.disk_bytes = s->image->virtual_bytes;
    if (chunkset_init(&s->plan.seen, grid_count(s->plan.virtual_bytes), err) <
        0)
        return -1;
    return digest_open(digest_wanted(s), s->plan.virtual_bytes, &s->job.digest,
                       err);
}

/* ---- the call ---- */

/* Sleeps, but not beyond a cancel.  False when cancelled. */
static bool pause_ms(struct source *s, unsigned ms)
{
    struct pollfd fd = { .fd = s->job.wake_fd, .events = POLLIN };

    poll(&fd, 1, (int)ms);
    return !atomic_load(&s->job.cancelled);
}

/* Is a call that failed so worth another?  After a session that worked, what
 * looks like a refusal may be a target that is just starting again. */
static bool may_pass(const struct source *s, const struct error *err)
{
    if (progress_get(&s->job.progress.reconnects) > 0)
        return retry_is_passing(err);
    return err->kind == ERROR_TEMPORARY;
}

/* Calls until somebody answers, or the deadline. */
static int dial(struct source *s, uint64_t deadline_ns, struct conn **conn,
                struct error *err)
{
    struct conn_options options = s->plan.conn;
    unsigned wait_ms = RETRY_FIRST_MS;

    options.role = CONN_CONTROL;
    options.stop_fd = s->job.wake_fd;
    while (conn_dial(&s->plan.target, s->job.tls, &options, conn, err) < 0) {
        uint64_t now_ns = clock_now_ns();

        if (atomic_load(&s->job.cancelled))
            return error_set(err, ERROR_CANCELLED, 0, "stopped by request");
        if (err->kind == ERROR_TLS && s->is_paired)
            return error_wrap(err, "the target does not take this pairing "
                                   "code, and each run of it makes a new one");
        if (!may_pass(s, err) || now_ns >= deadline_ns)
            return -1;
        if (wait_ms == RETRY_FIRST_MS)
            log_warn("%s; trying again for %" PRIu64 " s", err->text,
                     (deadline_ns - now_ns) / CLOCK_SECOND_NS);
        if (!pause_ms(s, retry_jitter_ms(wait_ms)))
            continue;
        progress_add(&s->job.progress.retries, 1);
        job_report(&s->job);
        job_read_security(&s->job);
        wait_ms = wait_ms * 2 < RETRY_MOST_MS ? wait_ms * 2 : RETRY_MOST_MS;
    }
    return 0;
}

static void note_peer(struct source *s, const struct conn *conn)
{
    struct conn_info info;

    conn_get_info(conn, &info);
    snprintf(s->job.cipher, sizeof(s->job.cipher), "%s %s", info.tls_version,
             info.cipher);
    snprintf(s->peer, sizeof(s->peer), "%s (%s)", info.peer, info.peer_name);
    log_info("connected to %s, %s", s->peer, s->job.cipher);
}

/* A stream can only be read in order, and so by one lane. */
static unsigned lanes_wanted(const struct source *s)
{
    return s->image->is_sequential
               ? 1
               : job_lanes_wanted(&s->job, s->image->is_decoded);
}

static int say_hello(struct source *s)
{
    struct message message = { .type = MESSAGE_HELLO };
    struct message_hello *hello = &message.hello;

    hello->version = MESSAGE_VERSION;
    hello->lanes = (uint16_t)lanes_wanted(s);
    hello->chunk_bytes = (uint32_t)GRID_CHUNK_BYTES;
    hello->digest = digest_wanted(s);
    hello->virtual_bytes = s->plan.virtual_bytes;
    hello->data_bytes = s->job.total_bytes;
    memcpy(hello->job, s->job.id, sizeof(hello->job));
    memcpy(hello->format, s->job.format, sizeof(hello->format));
    snprintf(hello->software, sizeof(hello->software), "clonewire %s",
             cw_version());
    if (s->job.begun_ns == 0)
        s->job.begun_ns = clock_now_ns();
    return session_send(&s->session, &message);
}

/* ---- the conversation ---- */

/* Waits for a message of that type. */
static int await(struct source *s, enum message_type type,
                 struct message *message)
{
    for (;;) {
        int r = session_step(&s->session, message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message->type == type)
            return 0;
        return session_unexpected(&s->session, message);
    }
}

/* The plan; 1: it is DONE already, as the target learned while we were
 * away that the copy is equal and durable. */
static int await_plan(struct source *s, struct message *message)
{
    for (;;) {
        int r = session_step(&s->session, message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message->type == MESSAGE_PLAN)
            return 0;
        if (message->type == MESSAGE_DONE && s->has_finished)
            return 1;
        return session_unexpected(&s->session, message);
    }
}

static int take_plan(struct source *s, const struct message_plan *plan)
{
    struct error err;

    if (plan->lanes > lanes_wanted(s) ||
        plan->disk_bytes < s->plan.virtual_bytes) {
        error_set(&err, ERROR_PROTOCOL, 0,
                  "target planned %u lanes and a disk of %" PRIu64 " bytes",
                  plan->lanes, plan->disk_bytes);
        job_fail(&s->job, &err);
        return -1;
    }
    s->job.lanes = plan->lanes;
    memcpy(s->plan.secret, plan->secret, sizeof(s->plan.secret));
    return 0;
}

static void forget_told(struct source *s)
{
    chunkset_fini(&s->plan.told);
    digest_close(TAKE_PTR(s->plan.told_digests));
}

/* The first HAVE makes the room to keep what is told. */
static int hear_have(struct source *s, const struct message_have *have)
{
    struct source_plan *plan = &s->plan;
    struct error err;

    if (!plan->told_digests &&
        (chunkset_init(&plan->told, grid_count(plan->virtual_bytes), &err) <
             0 ||
         digest_open(digest_wanted(s), plan->virtual_bytes, &plan->told_digests,
                     &err) < 0)) {
        job_fail(&s->job, &err);
        return -1;
    }
    return have_hear(&s->session, have, &plan->told, plan->told_digests);
}

/* What the target holds, up to its GO. */
static int await_go(struct source *s)
{
    struct message message;
    uint64_t held;

    forget_told(s);
    for (;;) {
        int r = session_step(&s->session, &message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message.type == MESSAGE_GO)
            break;
        if (message.type != MESSAGE_HAVE)
            return session_unexpected(&s->session, &message);
        if (hear_have(s, &message.have) < 0)
            return -1;
    }
    held = s->plan.told_digests ? chunkset_count(&s->plan.told) : 0;
    if (held > 0)
        log_info("the target holds %" PRIu64 " of %" PRIu64
                 " chunks already; only what differs is sent",
                 held, grid_count(s->plan.virtual_bytes));
    if (held > s->held_most)
        s->held_most = held;
    return 0;
}

/* As await_plan(). */
static int negotiate(struct source *s)
{
    struct message message;
    int r;

    if (say_hello(s) < 0)
        return -1;
    r = await_plan(s, &message);
    if (r > 0)
        s->done = message.done;
    if (r != 0)
        return r;
    return take_plan(s, &message.plan) < 0 ? -1 : await_go(s);
}

static int start_lanes(struct source *s)
{
    struct error err;

    cursor_init(&s->plan.cursor, grid_count(s->plan.virtual_bytes),
                s->job.lanes, chunks_step(s->image));
    s->plan.conn.role = CONN_DATA;
    s->plan.conn.stop_fd = s->job.stop_fd;
    for (unsigned i = 0; i < s->job.lanes; i++) {
        if (source_lane_start(&s->lanes[i], &s->plan, i, &err) < 0) {
            job_fail(&s->job, &err);
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
    job_start_stall_clock(&s->job);
    while (atomic_load(&s->plan.running) > 0) {
        int r = session_step(&s->session, &message);

        job_check_stall(&s->job);

        if (r < 0)
            return -1;
        if (r > 0)
            return session_unexpected(&s->session, &message);
    }
    return job_stopping(&s->job) ? -1 : 0;
}

/* The target's word against ours. */
static int take_done(struct source *s)
{
    struct message message = { .type = MESSAGE_BYE };
    uint8_t root[DIGEST_ROOT_BYTES];
    struct error err;

    digest_root(s->job.digest, root);
    if (memcmp(root, s->done.root, sizeof(root)) != 0) {
        error_set(&err, ERROR_MISMATCH, 0,
                  "target's digest differs from the source's");
        job_fail(&s->job, &err);
        return -1;
    }
    if (chat_send(&s->session.chat, &message, &err) < 0)
        log_warn("could not say good-bye: %s", err.text);
    return 0;
}

/* The copy is of one moment, or it is none. */
static int check_same(void *arg, struct error *err)
{
    struct source *s = arg;
    struct survey survey = {
        .image = s->plan.image,
        .engine = s->job.ring_wish,
        .virtual_bytes = s->plan.virtual_bytes,
        .stop = &s->job.stop,
    };

    return source_check_same(&s->guard, &survey, s->job.digest, err);
}

/* Reads samples again, beside the heartbeat: a slow disk takes its time.  Who
 * allowed the image to be in use has allowed it to change. */
static int confirm_same(struct source *s)
{
    struct message message;
    struct error err;
    int r = 0;

    if (s->options.allow_in_use)
        return 0;
    if (errand_start(&s->errand, &s->job, check_same, s, &err) < 0) {
        job_fail(&s->job, &err);
        return -1;
    }
    while (r == 0 && !errand_is_done(&s->errand))
        r = session_step(&s->session, &message);
    if (r > 0)
        session_unexpected(&s->session, &message);
    if (errand_join(&s->errand, &err) < 0)
        job_fail(&s->job, &err);
    return job_stopping(&s->job) ? -1 : 0;
}

static int finish(struct source *s)
{
    struct message message = { .type = MESSAGE_FINISH };

    job_enter(&s->job, CW_PHASE_FLUSHING);
    s->session.phase = 1;
    if (session_tell(&s->session) < 0) /* the target's display ends whole */
        return -1;
    if (confirm_same(s) < 0)
        return -1;
    digest_root(s->job.digest, message.finish.root);
    message.finish.waits = job_waits(&s->job);
    s->has_finished = true;
    if (session_send(&s->session, &message) < 0 ||
        await(s, MESSAGE_DONE, &message) < 0)
        return -1;
    s->done = message.done;
    s->job.peer_waits = message.done.waits;
    return take_done(s);
}

static int converse(struct source *s)
{
    int r = negotiate(s);

    if (r < 0)
        return -1;
    if (r > 0)
        return take_done(s);
    return copy(s) < 0 ? -1 : finish(s);
}

static void end_lanes(struct source *s)
{
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        source_lane_interrupt(&s->lanes[i]);
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        source_lane_join(&s->lanes[i]);
}

static void summarize(const struct source *s, struct cw_summary *summary)
{
    uint8_t root[DIGEST_ROOT_BYTES];

    job_summarize(&s->job, summary);
    summary->allocated_bytes = s->done.allocated_bytes;
    summary->io_mode = file_mode_name(s->image->mode);
    snprintf(summary->image_format, sizeof(summary->image_format), "%s",
             image_format_text(s->image));
    snprintf(summary->tls, sizeof(summary->tls), "%s", s->job.cipher);
    snprintf(summary->peer, sizeof(summary->peer), "%s", s->peer);
    digest_root(s->job.digest, root);
    digest_format(digest_wanted(s), root, summary->digest);
}

/* Refuses a target whose certificate has another name, and says so to it. */
static int check_target(struct source *s, struct error *err)
{
    if (conn_check_peer(s->session.chat.conn, err) == 0)
        return 0;
    chat_send_error(&s->session.chat, err);
    return -1;
}

/* One session from the call to its end.  -1: *err says why it failed. */
static int hold_session(struct source *s, uint64_t deadline_ns,
                        struct error *err)
{
    struct conn *conn;
    int r;

    if (dial(s, deadline_ns, &conn, err) < 0)
        return -1;
    session_open(&s->session, &s->job, conn);
    note_peer(s, conn);
    if (check_target(s, err) < 0) {
        session_close(&s->session);
        return -1;
    }
    r = converse(s);
    if (r < 0)
        session_settle_error(&s->session);
    end_lanes(s);
    session_close(&s->session);
    if (r < 0)
        job_first_error(&s->job, err);
    return r;
}

/* A measure of what is achieved: chunks read, or known to be over there. */
static uint64_t achieved(const struct source *s)
{
    return chunkset_count(&s->plan.seen) + s->held_most;
}

/*
 * After a failed session: is there to be another?  Waits a moment first, as
 * the target has to notice, too.
 */
static bool try_again(struct source *s, const struct error *err)
{
    if (s->image->pipe || /* what came through it does not come again */
        atomic_load(&s->job.cancelled) ||
        (progress_get(&s->job.progress.reconnects) == 0 &&
         err->kind != ERROR_TEMPORARY) ||
        !retry_is_passing(err) ||
        !retry_again(&s->retry, achieved(s), clock_now_ns()))
        return false;
    log_warn("%s; connecting again", err->text);
    job_go_on(&s->job);
    progress_add(&s->job.progress.reconnects, 1);
    pause_ms(s, retry_jitter_ms(RETRY_FIRST_MS));
    job_read_security(&s->job);
    return !atomic_load(&s->job.cancelled);
}

static int run_sessions(struct source *s, struct error *err)
{
    uint64_t patience_ns = s->options.connect_timeout_ns
                               ? s->options.connect_timeout_ns
                               : CONNECT_DEFAULT_NS;
    uint64_t deadline_ns = clock_now_ns() + patience_ns;

    while (hold_session(s, deadline_ns, err) < 0) {
        /* Never connected at all: the patience for that is spent. */
        if (s->job.begun_ns == 0 || !try_again(s, err))
            return -1;
        deadline_ns = s->retry.deadline_ns;
    }
    return 0;
}

static int source_run(struct cw_job *job, struct cw_summary *summary,
                      struct error *err)
{
    struct source *s = (struct source *)job;

    source_name_job(&s->options, &s->plan.target, s->plan.virtual_bytes,
                    job->id);
    snprintf(job->format, sizeof(job->format), "%s",
             image_format_text(s->image));
    job_set_ready(job);
    job_enter(job, CW_PHASE_PLANNING);
    if (source_measure(s->image, &job->total_bytes, err) < 0)
        return -1;
    if (run_sessions(s, err) < 0)
        return error_wrap(err, "clone %s to %s", s->options.image,
                          s->options.target);
    job_enter(job, CW_PHASE_DONE);
    summarize(s, summary);
    return 0;
}

static void source_free(struct cw_job *job)
{
    struct source *s = (struct source *)job;

    end_lanes(s);
    session_close(&s->session);
    forget_told(s);
    chunkset_fini(&s->plan.seen);
    image_close(s->image);
    guard_close(&s->guard);
    job_fini(job);
    free(s);
}

static int build(struct source *s, const struct cw_source_options *options,
                 struct error *err)
{
    s->guard.fd = -1;
    s->job.run = source_run;
    s->job.free = source_free;
    s->options = *options;
    s->is_paired = options->security.pairing_code != NULL;
    s->options.security.pairing_code = NULL; /* the caller may wipe it */
    s->plan.job = &s->job;
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
    s->plan.pace.bytes_per_second = options->bytes_per_second;
    if (addr_parse(options->target, &s->plan.target, err) < 0)
        return -1;
    return open_disk(s, err);
}

struct cw_job *source_open(const struct cw_source_options *options,
                           struct error *err)
{
    struct source *s = calloc(1, sizeof(*s));

    if (!s) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start the source");
        return NULL;
    }
    if (build(s, options, err) == 0)
        return &s->job;
    source_free(&s->job);
    return NULL;
}
