/*
 * target_session.c - one session of a target: makes room, announces what is on
 * disk, runs the lanes, and says DONE only when the copy is durable, in
 * place and equal.
 *
 *   preparing (task) -> copying -> finishing (task) -> done
 */
#include "target/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iszero.h"
#include "base/log.h"
#include "base/version.h"
#include "job/watchdog.h"
#include "plan/chunk_grid.h"
#include "resume/announce_chunks.h"
#include "target/target_recognize.h"
#include "target/target_scan.h"
#include "target/target_trust.h"

/* Of silence. */
#define BYE_NS (2 * CLOCK_SECOND_NS)
/* FINISH has come: how long a lane that was announced may still not join. */
#define LATE_LANE_NS (30 * CLOCK_SECOND_NS)
/* Heartbeats come twice a second: a source so silent may have lost us. */
#define SILENCE_NS (2 * CLOCK_SECOND_NS)

/* ---- visitors ---- */

/* Tells a visitor why it cannot stay. */
void target_turn_away(const struct visitor *visitor, const struct error *err)
{
    struct channel *channel = malloc(sizeof(*channel));

    log_warn_limited(visitor->peer, "turned away %s: %s", visitor->peer,
                     err->text);
    if (!channel)
        return;
    channel_init(channel, visitor->conn);
    channel_send_error(channel, err);
    free(channel);
}

static bool secrets_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned different = 0;

    for (size_t i = 0; i < MESSAGE_SECRET_BYTES; i++)
        different |= (unsigned)(a[i] ^ b[i]); /* no early end to time */
    return different == 0;
}

int target_check_join(const struct target *t, const struct message_join *join,
                      struct error *err)
{
    const struct target_session *session = &t->session;

    if (!(session->accepting || session->is_over) ||
        !secrets_equal(join->secret, session->secret))
        return error_set(err, ERROR_PROTOCOL, 0,
                         "wrong session secret: this lane belongs to no "
                         "clone that runs here");
    if (session->is_over)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "the session of this lane is over");
    if (join->lane >= t->job.resources.lanes)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "lane %u of a clone with %u lanes", join->lane,
                         t->job.resources.lanes);
    if (t->lanes[join->lane].conn)
        return error_set(err, ERROR_PROTOCOL, 0, "lane %u came twice",
                         join->lane);
    return 0;
}

/*
 * A lane of this session that breaks the rules ends it.  A lane with another
 * secret is turned away: it is late, of a session that was lost, or a stranger.
 */
static void receive_lane(struct target *t, struct visitor *visitor)
{
    const struct message_join *join = &visitor->first.join;
    struct error err;

    if (target_check_join(t, join, &err) < 0) {
        target_turn_away(visitor, &err);
        if (t->session.accepting &&
            secrets_equal(join->secret, t->session.secret))
            job_state_fail(&t->job.state, &err);
        return;
    }
    if (receive_worker_start(&t->lanes[join->lane], &t->plan, join->lane,
                             visitor->conn, &err) < 0)
        job_state_fail(&t->job.state, &err);
    visitor->conn = NULL; /* moved */
    t->session.joined++;
}

/*
 * Another HELLO.  Our own source calls again when its connection is lost in
 * a way that we have not noticed yet; any other source has to wait.
 */
static void receive_hello(struct target *t, struct visitor **visitor)
{
    const struct channel *channel = &t->session.control.channel;
    struct error err;

    if (target_is_same_job(t, &(*visitor)->first.hello, (*visitor)->name) &&
        !t->comeback && clock_now_ns() - channel->last_rx_ns > SILENCE_NS) {
        t->comeback = TAKE_PTR(*visitor);
        error_set(&err, ERROR_TEMPORARY, 0,
                  "the source has lost the connection and calls again");
        job_state_fail(&t->job.state, &err);
        return;
    }
    error_set(&err, ERROR_BUSY, 0, "busy: serving another source, %s",
              t->session.peer);
    target_turn_away(*visitor, &err);
}

/* While a clone runs: accepts its lanes, refuses all other clients. */
static void receive_lanes(struct target *t)
{
    struct visitor *visitor;

    while ((visitor = listener_take(t->listener))) {
        if (!visitor->conn)
            visitor_log_refusal(visitor, &visitor->err);
        else if (visitor->first.type == MESSAGE_JOIN)
            receive_lane(t, visitor);
        else
            receive_hello(t, &visitor);
        visitor_close(visitor);
    }
}

/* ---- the conversation ---- */

static int handle_message(struct target *t, const struct message *message)
{
    struct target_session *session = &t->session;

    if (target_tree_waits(t) && message->type == MESSAGE_TREE)
        return target_tree_hear(t, &message->tree);
    if (target_recognize_waits(t) &&
        (message->type == MESSAGE_HAVE || message->type == MESSAGE_LEAVES))
        return target_recognize_hear(t, message);
    if (message->type != MESSAGE_FINISH || session->finish_heard ||
        !session->accepting)
        return session_unexpected(&session->control, message);
    session->finish_heard = true;
    session->finish_ns = clock_now_ns();
    t->job.status.peer_waits = message->finish.waits;
    memcpy(session->source_root, message->finish.root,
           sizeof(session->source_root));
    if (message->finish.unread_bytes > t->plan.virtual_bytes)
        return session_unexpected(&session->control, message);
    atomic_store(&t->job.status.progress.unread_bytes,
                 message->finish.unread_bytes);
    atomic_store(&t->job.status.progress.is_mixed, message->finish.is_mixed);
    return 0;
}

/* One step of the listener and of the control connection. */
static int serve_control(struct target *t)
{
    struct message message;
    int r;

    receive_lanes(t);
    atomic_store(&t->job.status.progress.zeroed_bytes,
                 sink_zeroed_bytes(t->sink));
    r = session_step(&t->session.control, &message);
    return r > 0 ? handle_message(t, &message) : r;
}

static int serve_task(void *arg)
{
    struct target *t = arg;
    int r = serve_control(t);

    if (sink_copied_bytes(t->sink) > 0)
        atomic_store(&t->job.status.progress.surveyed_bytes,
                     sink_copied_bytes(t->sink));
    if (r < 0) { /* first: the disk may never let the task end */
        sink_stop(t->sink);
        session_settle_error(&t->session.control);
    }
    return r;
}

/* Does work beside the heartbeat. */
static int run_beside_heartbeat(struct target *t,
                                int (*work)(void *arg, struct error *err))
{
    return task_run(&t->task, &t->job, work, serve_task, t);
}

static int make_secret(struct target *t)
{
    struct error err;

    if (getrandom(t->session.secret, sizeof(t->session.secret), 0) ==
        (ssize_t)sizeof(t->session.secret))
        return 0;
    error_set(&err, ERROR_SYSTEM, errno, "make a session secret");
    job_state_fail(&t->job.state, &err);
    return -1;
}

/* What came of chunks whose lane was lost in the middle.  A survey finds it. */
static int tell_parts(struct target *t)
{
    int held;

    t->parts_on_disk = 0;
    if (!t->session.hello.takes_parts || t->plan.is_surveyed)
        return 0;
    held = announce_chunks_parts(&t->session.control, &t->plan.leaves,
                                 digest_each(t->job.status.digest));
    if (held < 0)
        return -1;
    t->parts_on_disk = (uint64_t)held;
    if (held > 0)
        log_info("chunks that came in part are gone on with: %d leaves of "
                 "64 KiB are held",
                 held);
    return 0;
}

static int send_plan(struct target *t)
{
    struct message message = { .type = MESSAGE_PLAN };
    struct target_session *session = &t->session;
    unsigned lanes = job_lanes_accepted(&t->job);
    struct sink_report report;

    if (make_secret(t) < 0)
        return -1;
    sink_get_report(t->sink, &report);
    t->job.resources.lanes = session->hello.lanes < lanes ? session->hello.lanes
                                                          : lanes;
    t->job.status.disk_bytes = report.disk_bytes;
    t->plan.sector_bytes = report.sector_bytes;

    t->plan.codecs = t->options.refuse_compressed
                         ? 0
                         : session->hello.codecs & MESSAGE_CODEC_ZSTD;

    message.plan.codecs = t->plan.codecs;
    message.plan.lanes = (uint16_t)t->job.resources.lanes;
    message.plan.disk_bytes = report.disk_bytes;
    message.plan.has_identity = !iszero(t->on_disk_of, sizeof(t->on_disk_of));
    memcpy(message.plan.identity, t->on_disk_of, sizeof(t->on_disk_of));
    message.plan.wants_trust = t->options.resume == CW_RESUME_TRUST;
    message.plan.surveys = t->plan.is_surveyed;
    message.plan.takes_passes = session->hello.pass > 0;
    t->plan.has_sums = t->plan.is_surveyed && session->hello.takes_sums &&
                       !atomic_load(&t->plan.is_coarse);
    message.plan.has_sums = t->plan.has_sums;
    memcpy(message.plan.secret, session->secret, sizeof(session->secret));
    snprintf(message.plan.software, sizeof(message.plan.software),
             "clonewire %s", version_text());
    if (session_send(&session->control, &message) < 0 ||
        announce_chunks_held(&session->control, &t->plan.on_disk,
                             t->job.status.digest) < 0 ||
        target_scan_tell_missing(t) < 0)
        return -1;
    if (tell_parts(t) < 0)
        return -1;
    session->accepting = true;
    message.type = MESSAGE_GO;
    if (session_send(&session->control, &message) < 0)
        return -1;
    return target_scan_start(t);
}

/* Bytes that lanes have taken from the network move, be they few. */
static void watch_lanes(struct target *t)
{
    t->job.status.wire_bytes = 0;
    for (unsigned i = 0; i < t->job.resources.lanes; i++)
        if (t->lanes[i].conn)
            t->job.status.wire_bytes += conn_wire_received(t->lanes[i].conn);
    watchdog_check(&t->job);
}

static bool lanes_ended(struct target *t)
{
    struct error err;

    if (checkpointer_tick(&t->checkpointer, &err) < 0)
        job_state_fail(&t->job.state, &err);
    watch_lanes(t);
    if (target_scan_tick(t) < 0 || job_state_stopping(&t->job.state))
        return true;
    if (t->session.finish_heard && t->session.joined < t->job.resources.lanes &&
        clock_now_ns() - t->session.finish_ns > LATE_LANE_NS) {
        error_set(&err, ERROR_PROTOCOL, 0,
                  "source finished, but only %u of %u lanes came",
                  t->session.joined, t->job.resources.lanes);
        job_state_fail(&t->job.state, &err);
    }
    return t->session.finish_heard &&
           atomic_load(&t->plan.ended) == t->job.resources.lanes;
}

/* All has come: what the source has yet to tell of it makes no difference. */
static void note_all_came(struct cw_job *job)
{
    uint64_t handled = progress_get(&job->status.progress.handled_bytes);

    if (handled < job->status.total_bytes)
        progress_add(&job->status.progress.handled_bytes,
                     job->status.total_bytes - handled);
}

/* Did the lanes bring all of the disk, and nothing else? */
static int check_lanes(struct target *t, struct error *err)
{
    uint64_t missing = t->plan.came.chunks - chunk_bitmap_count(&t->plan.came);

    if (missing > 0)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "source finished, but %" PRIu64 " chunks did not come",
                         missing);
    for (unsigned i = 0; i < t->job.resources.lanes; i++)
        if (receive_worker_check_end(&t->lanes[i], err) < 0)
            return -1;
    return 0;
}

static int finish(struct target *t)
{
    struct error err;

    if (check_lanes(t, &err) < 0) {
        job_state_fail(&t->job.state, &err);
        return -1;
    }
    note_all_came(&t->job);
    if (target_scan_end(t) < 0 ||
        session_enter(&t->session.control, CW_PHASE_FLUSHING) < 0 ||
        run_beside_heartbeat(t, target_flush) < 0 ||
        session_enter(&t->session.control, CW_PHASE_VERIFYING) < 0)
        return -1;
    return run_beside_heartbeat(t, target_verify);
}

/* The clone is whole.  A DONE that does not arrive changes nothing here. */
static void say_done(struct target *t)
{
    struct message message = { .type = MESSAGE_DONE };
    struct channel *channel = &t->session.control.channel;
    uint64_t deadline_ns = clock_now_ns() + BYE_NS;
    struct sink_report report;
    struct error err;

    sink_get_report(t->sink, &report);
    message.done.disk_bytes = report.disk_bytes;
    message.done.allocated_bytes = report.allocated_bytes;
    message.done.waits = job_waits(&t->job);
    message.done.unverified_bytes = progress_get(
        &t->job.status.progress.unverified_bytes);
    memcpy(message.done.root, t->root, sizeof(t->root));
    if (channel_send(channel, &message, &err) < 0) {
        log_warn("the source may not know that the clone is done: %s",
                 err.text);
        return;
    }
    do {
        if (channel_wait(channel, &message, deadline_ns, -1, &err) < 0) {
            log_warn("the source did not say good-bye: %s", err.text);
            return;
        }
        /* It lives, and writes its receipt. */
        deadline_ns = clock_now_ns() + BYE_NS;
    } while (message.type == MESSAGE_PROGRESS || message.type == MESSAGE_TREE);
    t->is_told = message.type == MESSAGE_BYE;
}

/* ---- a session ---- */

/* The visitor becomes our source. */
static void begin_session(struct target *t, struct visitor *visitor)
{
    struct target_session *session = &t->session;
    struct conn_info info;

    free(session->tree);
    memset(session, 0, sizeof(*session));
    session->hello = visitor->first.hello;
    memcpy(session->name, visitor->name, sizeof(session->name));
    if (!target_is_same_job(t, &session->hello, session->name))
        job_begin(&t->job);
    atomic_store(&t->job.status.progress.pass, session->hello.pass);
    t->reserved_ns = 0;
    memcpy(t->job.status.id, session->hello.job, sizeof(t->job.status.id));
    memcpy(t->job.status.format, session->hello.format,
           sizeof(t->job.status.format));
    t->job.status.padding_bytes = session->hello.padding_bytes;
    progress_add(&t->job.status.progress.sessions, 1);
    listener_favour(t->listener, visitor->conn);
    conn_get_info(visitor->conn, &info);
    snprintf(session->peer, sizeof(session->peer), "%s (%s)", info.peer,
             info.peer_name);
    snprintf(t->job.status.cipher, sizeof(t->job.status.cipher), "%s %s",
             info.tls_version, info.cipher);
    memcpy(t->job.status.peer_software, session->hello.software,
           sizeof(t->job.status.peer_software));
    log_info("serving %s, %s, %s", session->peer, session->hello.software,
             t->job.status.cipher);
    if (session->hello.padding_bytes > 0)
        log_info("the source's disk ends inside a sector: padded with %u zeros",
                 session->hello.padding_bytes);
    conn_set_role(visitor->conn, CONN_CONTROL,
                  (unsigned)(t->job.tuning.dead_peer_ns / CLOCK_MS_NS));
    session_open(&session->control, &t->job, visitor->conn);
    visitor->conn = NULL; /* moved */
    session->has_record_key = target_trust_key(t, session->record_key);
}

/* What there is of the disk, before anything is changed: asks the source where
 * only it can know. */
static int examine(struct target *t)
{
    if (target_is_same_job(t, &t->session.hello, t->session.name))
        return 0;
    if (run_beside_heartbeat(t, target_examine) < 0)
        return -1;
    if (t->recognition && target_recognize_ask(t) < 0)
        return -1;
    while (target_recognize_waits(t))
        if (serve_control(t) < 0)
            return -1;
    return 0;
}

/* The index of a directory. */
static int receive_tree(struct target *t)
{
    struct error err;

    if (target_tree_expect(t, &err) < 0) {
        job_state_fail(&t->job.state, &err);
        return -1;
    }
    while (target_tree_waits(t))
        if (serve_control(t) < 0)
            return -1;
    return 0;
}

static int converse(struct target *t)
{
    job_enter(&t->job, CW_PHASE_PLANNING);
    t->job.status.total_bytes = t->session.hello.data_bytes;
    t->plan.ended = 0;
    if (receive_tree(t) < 0 || examine(t) < 0 ||
        run_beside_heartbeat(t, target_prepare) < 0 || send_plan(t) < 0)
        return -1;
    job_enter(&t->job, CW_PHASE_COPYING);
    watchdog_start(&t->job);
    while (!lanes_ended(t))
        if (serve_control(t) < 0)
            return -1;
    return job_state_stopping(&t->job.state) ? -1 : finish(t);
}

static void end_lanes(struct target *t)
{
    if (job_state_stopping(&t->job.state))
        sink_stop(t->sink);
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        receive_worker_interrupt(&t->lanes[i]);
    for (unsigned i = 0; i < MESSAGE_MAX_LANES; i++)
        receive_worker_join(&t->lanes[i]);
    target_scan_end(t);
}

/* What came is worth keeping, also over the end of this process. */
static void save(struct target *t)
{
    struct error err;

    /* What is finished has its record. */
    if (t->has_disk && !t->plan.is_finished &&
        checkpointer_save(&t->checkpointer, &err) < 0)
        job_state_fail(&t->job.state, &err);
}

/* Bytes on disk, for those who check for progress. */
static void note_held(struct target *t)
{
    uint64_t on_disk = t->has_disk ? chunk_bitmap_count(&t->plan.on_disk) *
                                             MESSAGE_CHUNK_LEAVES +
                                         t->parts_on_disk
                                   : 0;

    if (on_disk > t->max_on_disk)
        t->max_on_disk = on_disk;
}

/* Does the source only ask whether the disk is whole? */
static bool is_known_there(const struct target *t)
{
    const struct message_hello *hello = &t->session.hello;

    return (t->is_committed || t->is_confirmed) && hello->has_finished &&
           memcmp(hello->root, t->root, sizeof(t->root)) == 0;
}

int target_serve(struct target *t, struct visitor *visitor)
{
    bool was_committed = t->is_committed;
    int r = 0;

    begin_session(t, visitor);
    if (!is_known_there(t))
        r = converse(t);
    /* A connection lost while the disk was finished takes nothing away. */
    if (t->is_committed && !was_committed)
        r = 0;
    if (r == 0) {
        t->disk_of.pass = t->session.hello.pass;
        t->disk_of.next_pass_s = t->session.hello.next_pass_s;
        say_done(t);
        job_enter(&t->job, t->disk_of.next_pass_s > 0 ? CW_PHASE_WAITING
                                                      : CW_PHASE_DONE);
    } else {
        progress_add(&t->job.status.progress.failed_sessions, 1);
        session_settle_error(&t->session.control);
    }
    t->session.is_over = t->session.accepting;
    t->session.accepting = false;
    end_lanes(t);
    if (r < 0)
        save(t);
    note_held(t);
    session_close(&t->session.control);
    return r;
}
