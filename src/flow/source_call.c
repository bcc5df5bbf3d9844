#include "flow/source.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define RETRY_FIRST_MS 100U
#define RETRY_MOST_MS  2000U

/* Sleeps, but not beyond a cancel.  False when cancelled.  A call that was
 * cut short by another wish is made again. */
static bool pause_ms(struct source *s, unsigned ms)
{
    struct pollfd fd = { .fd = s->job.wake_fd, .events = POLLIN };
    uint64_t drained;

    if (poll(&fd, 1, (int)ms) > 0 && !atomic_load(&s->job.cancelled) &&
        read(fd.fd, &drained, sizeof(drained)) < 0)
        log_debug("nothing to drain from the wake-up");
    job_attend(&s->job);
    return !atomic_load(&s->job.cancelled);
}

/* Is a call that failed so worth another?  After a session that worked, what
 * looks like a refusal may be a target that is just starting again. */
static bool may_pass(const struct source *s, const struct error *err)
{
    if (err->kind == ERROR_CANCELLED)
        return true; /* woken for another wish than to stop */
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
        if (wait_ms == RETRY_FIRST_MS && err->kind != ERROR_CANCELLED)
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

/* Refuses a target whose certificate has another name, and says so to it. */
static int check_target(struct source *s, struct error *err)
{
    if (conn_check_peer(s->session.chat.conn, err) == 0)
        return 0;
    chat_send_error(&s->session.chat, err);
    return -1;
}

int source_call(struct source *s, uint64_t deadline_ns, struct error *err)
{
    struct conn *conn;

    if (dial(s, deadline_ns, &conn, err) < 0)
        return -1;
    session_open(&s->session, &s->job, conn);
    note_peer(s, conn);
    if (check_target(s, err) == 0)
        return 0;
    session_close(&s->session);
    return -1;
}

/* A measure of what is achieved: chunks read, or known to be over there. */
static uint64_t achieved(const struct source *s)
{
    return chunkset_count(&s->plan.seen) + s->held_most;
}

bool source_calls_again(struct source *s, const struct error *err)
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
