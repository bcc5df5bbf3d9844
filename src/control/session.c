#include "control/session.h"

#include "base/clock.h"
#include "base/log.h"

#define HEARTBEAT_NS  (CLOCK_SECOND_NS / 2)
#define LAST_ERROR_NS (2 * CLOCK_SECOND_NS)

void session_open(struct session *session, struct cw_job *job,
                  struct conn *conn)
{
    session->job = job;
    session->dead_ns = job->tuning.dead_peer_ns;
    session->report_ns = 0;
    session->is_sent = false;
    session->is_settled = false;
    session->phase = MESSAGE_PHASE_COPYING;
    channel_init(&session->channel, conn);
    job_found_peer(job);
    conn_count_wire(conn, &job->status.progress.wire_bytes);
}

static const char *peer_word(const struct session *session)
{
    return session->job->is_source ? "target" : "source";
}

int session_send(struct session *session, const struct message *message)
{
    struct error err;

    if (channel_send(&session->channel, message, &err) == 0)
        return 0;
    error_wrap(&err, "tell the %s %s", peer_word(session),
               message_type_name(message->type));
    job_state_fail(&session->job->state, &err);
    return -1;
}

int session_unexpected(struct session *session, const struct message *message)
{
    struct error err;

    error_set(&err, ERROR_PROTOCOL, 0, "%s sent %s out of turn",
              peer_word(session), message_type_name(message->type));
    job_state_fail(&session->job->state, &err);
    return -1;
}

int session_send_progress(struct session *session)
{
    const struct progress *counters = &session->job->status.progress;
    struct message message = { .type = MESSAGE_PROGRESS };

    message.progress.handled_bytes = job_handled_bytes(session->job);
    message.progress.data_bytes = progress_get(&counters->data_bytes);
    message.progress.zero_bytes = progress_get(&counters->zero_bytes);
    message.progress.zeroed_bytes = progress_get(&counters->zeroed_bytes);
    message.progress.phase = (uint16_t)session->phase;
    message.progress.has_waits = !session->job->is_source;
    message.progress.waits = job_waits(session->job);
    return session_send(session, &message);
}

int session_enter(struct session *session, enum cw_phase phase)
{
    session->phase = phase == CW_PHASE_VERIFYING ? MESSAGE_PHASE_VERIFYING
                                                 : MESSAGE_PHASE_FLUSHING;
    job_enter(session->job, phase);
    return session_send_progress(session);
}

static int check_peer_alive(struct session *session, uint64_t now_ns)
{
    struct error err;

    if (now_ns - session->channel.last_rx_ns < session->dead_ns)
        return 0;
    error_set(&err, ERROR_TEMPORARY, 0,
              "no sign of life from the %s for %llu s", peer_word(session),
              (unsigned long long)(session->dead_ns / CLOCK_SECOND_NS));
    job_state_fail(&session->job->state, &err);
    return -1;
}

/* Sends heartbeats, calls the progress callback, checks that the peer is alive.
 * -1: the job has failed. */
static int upkeep(struct session *session)
{
    struct cw_job *job = session->job;
    uint64_t now_ns = clock_now_ns();

    if (job_state_must_end(&job->state))
        return -1;
    job_attend(job);
    if (now_ns - session->report_ns >= JOB_TICK_MS * CLOCK_MS_NS) {
        session->report_ns = now_ns;
        job_report(job);
    }
    if (now_ns - session->channel.last_tx_ns >= HEARTBEAT_NS &&
        session_send_progress(session) < 0)
        return -1;
    return check_peer_alive(session, now_ns);
}

/* Raises counter to value; ignores a smaller value from the peer. */
static void raise_to(_Atomic uint64_t *counter, uint64_t value)
{
    uint64_t known = progress_get(counter);

    if (value > known)
        progress_add(counter, value - known);
}

/* Sets peer_at_disk if, since its last report, the target has waited longer for
 * its disk than for the source. */
static void note_waits(struct cw_job *job, const struct message_waits *waits)
{
    uint64_t disk_ns = waits->disk_ns - job->status.peer_waits.disk_ns;
    uint64_t net_ns = waits->net_ns - job->status.peer_waits.net_ns;

    if (disk_ns != 0 || net_ns != 0)
        atomic_store(&job->status.peer_at_disk, disk_ns > net_ns);
    job->status.peer_waits = *waits;
}

void session_note_arrived(struct cw_job *job)
{
    if (job->status.phase != CW_PHASE_COPYING)
        return;
    job->status.unacked_bytes = 0;
    job_enter(job, CW_PHASE_FLUSHING);
}

/* Stores the counters that only the peer can count. */
static void note_progress(struct session *session,
                          const struct message_progress *peer)
{
    struct cw_job *job = session->job;

    if (job->is_source) {
        if (peer->has_waits)
            note_waits(job, &peer->waits);
        raise_to(&job->status.progress.zeroed_bytes, peer->zeroed_bytes);
        if (session->is_sent && (peer->phase == MESSAGE_PHASE_FLUSHING ||
                                 peer->phase == MESSAGE_PHASE_VERIFYING))
            session_note_arrived(job);
        if (peer->phase == MESSAGE_PHASE_VERIFYING &&
            job->status.phase == CW_PHASE_FLUSHING)
            job_enter(job, CW_PHASE_VERIFYING);
    } else {
        raise_to(&job->status.progress.handled_bytes, peer->handled_bytes);
    }
}

enum received {
    RECEIVED_FAILURE,
    RECEIVED_NOTHING,
    RECEIVED_PROGRESS, /* handled; more may be buffered locally */
    RECEIVED_MESSAGE,  /* for the caller */
};

static enum received receive_message(struct session *session,
                                     struct message *message)
{
    struct error err;
    int r = channel_next(&session->channel, message, &err);

    if (r == 0)
        return RECEIVED_NOTHING;
    if (r > 0 && message->type == MESSAGE_PROGRESS) {
        note_progress(session, &message->progress);
        return RECEIVED_PROGRESS;
    }
    if (r > 0 && message->type != MESSAGE_ERROR)
        return RECEIVED_MESSAGE;
    if (r > 0)
        channel_peer_error(&message->error, !session->job->is_source, &err);
    job_state_fail(&session->job->state, &err);
    if (r > 0) /* says why a lane was lost in this moment */
        job_state_replace_error(&session->job->state, &err);
    return RECEIVED_FAILURE;
}

int session_step(struct session *session, struct message *message)
{
    if (upkeep(session) < 0)
        return -1;
    switch (receive_message(session, message)) {
    case RECEIVED_FAILURE: return -1;
    case RECEIVED_MESSAGE: return 1;
    case RECEIVED_PROGRESS: return 0;
    case RECEIVED_NOTHING: break;
    }
    job_state_wait(&session->job->state, conn_fd(session->channel.conn),
                   JOB_TICK_MS);
    return upkeep(session);
}

/* Reads the ERROR that the peer may have sent before it disconnected. */
static void read_last_error(struct session *session)
{
    uint64_t deadline_ns = clock_now_ns() + LAST_ERROR_NS;
    struct message message;
    struct error err;

    while (channel_wait(&session->channel, &message, deadline_ns, -1, &err) >
           0) {
        if (message.type != MESSAGE_ERROR)
            continue;
        channel_peer_error(&message.error, !session->job->is_source, &err);
        job_state_replace_error(&session->job->state, &err);
        return;
    }
}

void session_settle_error(struct session *session)
{
    struct error err;

    if (session->is_settled ||
        !job_state_first_error(&session->job->state, &err))
        return;
    session->is_settled = true;
    if (err.kind == ERROR_TEMPORARY && !err.from_peer &&
        !atomic_load(&session->job->state.is_stalled))
        read_last_error(session);
    if (job_state_first_error(&session->job->state, &err) && !err.from_peer)
        channel_send_error(&session->channel, &err);
}

void session_close(struct session *session)
{
    conn_close(session->channel.conn);
    session->channel.conn = NULL;
}
