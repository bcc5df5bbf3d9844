/*
 * session.h - maintains one control connection, on the main thread: sends
 * heartbeats, checks that the peer is alive, and reports errors to the peer.
 */
#ifndef CW_CONTROL_SESSION_H
#define CW_CONTROL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "control/channel.h"
#include "job/job.h"

struct session {
    struct cw_job *job;     /* borrowed */
    struct channel channel; /* its conn is the session's; closed by _close() */
    uint64_t dead_ns;   /* after this long without a byte the peer is dead */
    uint64_t report_ns; /* last progress callback */
    enum message_phase phase; /* what our PROGRESS says */
    bool is_sent;             /* source: the whole disk and FINISH were sent */
    bool is_settled;          /* both ends know why the job has failed */
};

/* Takes over conn (moved) as the control connection of job. */
void session_open(struct session *session, struct cw_job *job,
                  struct conn *conn);

/*
 * Waits for the next message, a wake-up of the job, or a tick, whichever
 * comes first, and sends heartbeats.
 *
 * 1: *message, never an ERROR or PROGRESS.  0: no message; call again.  -1: the
 * job has failed (its first error says why; it may be the peer's ERROR).
 */
int session_step(struct session *session, struct message *message);

/* Sends a PROGRESS now; session_step() sends the periodic ones.  0 or -1. */
int session_send_progress(struct session *session);

/* Moves the job to phase, flushing or verifying, and informs the peer.  0 or
 * -1. */
int session_enter(struct session *session, enum cw_phase phase);

/* Source: the target is flushing, so it has received everything. */
void session_note_arrived(struct cw_job *job);

/* Sends; a failure becomes the job's error. */
int session_send(struct session *session, const struct message *message);

/* Fails the job with ERROR_PROTOCOL: message is out of order.  -1. */
int session_unexpected(struct session *session, const struct message *message);

/*
 * After the job failed: if the only cause known is a lost connection, waits
 * up to two seconds for the peer's ERROR; if the cause is local, sends it to
 * the peer.  Call it before any wait that may not end, such as on a disk.
 * Once per session: later calls do nothing.
 */
void session_settle_error(struct session *session);

/* Tolerates a session that was never opened. */
void session_close(struct session *session);

#endif
