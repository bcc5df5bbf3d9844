#include "source/source.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/connect.h"

#define RETRY_PAUSE_MS 100U

/* After a session that worked, a refusal may come from a target that is just
 * restarting. */
static bool may_pass(const struct cw_job *job, const struct error *err)
{
    const struct source *s = (const struct source *)job;

    if (err->kind == ERROR_TLS && s->is_paired)
        return false;
    if (progress_get(&job->status.progress.reconnects) > 0)
        return retry_is_passing(err);
    return err->kind == ERROR_TEMPORARY;
}

static int dial(struct source *s, uint64_t deadline_ns, struct conn **conn,
                struct error *err)
{
    const struct connect_patience patience = { deadline_ns, may_pass };
    struct conn_options options = s->plan.conn;

    options.role = CONN_CONTROL;
    options.stop_fd = s->job.state.wake_fd;
    options.beside = NULL;
    if (connect_until(&s->job, &s->plan.target, &options, &patience, conn,
                      err) == 0)
        return 0;
    return err->kind == ERROR_TLS && s->is_paired
               ? error_wrap(err,
                            "the target does not take this pairing code, and "
                            "each run of it makes a new one")
               : -1;
}

static void note_peer(struct source *s, const struct conn *conn)
{
    struct conn_info info;

    conn_get_info(conn, &info);
    snprintf(s->job.status.cipher, sizeof(s->job.status.cipher), "%s %s",
             info.tls_version, info.cipher);
    snprintf(s->peer, sizeof(s->peer), "%s (%s)", info.peer, info.peer_name);
    log_info("connected to %s, %s", s->peer, s->job.status.cipher);
}

/* Refuses a target whose certificate has another name, and sends it an ERROR. */
static int check_target(struct source *s, struct error *err)
{
    if (conn_check_peer(s->session.channel.conn, err) == 0)
        return 0;
    channel_send_error(&s->session.channel, err);
    return -1;
}

int source_call(struct source *s, uint64_t deadline_ns, struct error *err)
{
    struct conn *conn;

    if (dial(s, deadline_ns, &conn, err) < 0)
        return -1;
    session_open(&s->session, &s->job, conn);
    s->control_path = (struct tcp_path){ 0 };
    note_peer(s, conn);
    if (check_target(s, err) == 0)
        return 0;
    session_close(&s->session);
    return -1;
}

/* Progress in leaves: of chunks read, or known to be on the target. */
static uint64_t achieved(const struct source *s)
{
    return chunk_bitmap_count(&s->plan.seen) * MESSAGE_CHUNK_LEAVES +
           s->max_peer_leaves;
}

bool source_calls_again(struct source *s, const struct error *err)
{
    if (s->image->pipe || /* a pipe cannot be read again */
        atomic_load(&s->job.state.cancelled) ||
        (progress_get(&s->job.status.progress.reconnects) == 0 &&
         err->kind != ERROR_TEMPORARY) ||
        !retry_is_passing(err) ||
        !retry_again(&s->retry, achieved(s), clock_now_ns()))
        return false;
    log_warn("%s; connecting again", err->text);
    job_lost_peer(&s->job, s->retry.deadline_ns);
    connect_pause_ms(&s->job, retry_jitter_ms(RETRY_PAUSE_MS));
    job_read_security(&s->job);
    return !atomic_load(&s->job.state.cancelled);
}
