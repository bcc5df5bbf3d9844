/*
 * session.h - the upkeep of one control connection, by the main thread:
 * heartbeats out, signs of life in, and the road an error takes to the peer.
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
    uint64_t dead_ns;       /* silence that means the peer is dead */
    uint64_t told_ns;       /* last progress callback */
    enum message_phase phase; /* what our PROGRESS says */
    bool is_sent;             /* source: all of the disk, and FINISH */
    bool is_settled;          /* both ends know why the job has failed */
};

/* Takes over conn (moved) as the control connection of job. */
void session_open(struct session *session, struct cw_job *job,
                  struct conn *conn);

/*
 * Waits for the next message, a wake-up of the job, or a tick, whichever
 * comes first, and keeps the heartbeat.
 *
 * 1: *message, never an ERROR or PROGRESS.  0: look around and call again.  -1: the job
 * has failed (its first error says why; the peer's ERROR is one of them).
 */
int session_step(struct session *session, struct message *message);

/* Sends a PROGRESS now; they are sent on time by session_step().  0 or -1. */
int session_tell(struct session *session);

/* The job moves to phase, flushing or verifying, and the peer is told.  0 or
 * -1. */
int session_enter(struct session *session, enum cw_phase phase);

/* Source: the target flushes, so it has got all that was sent. */
void session_note_arrived(struct cw_job *job);

/* Sends; a failure becomes the job's error. */
int session_send(struct session *session, const struct message *message);

/* The job fails with ERROR_PROTOCOL over a message out of turn.  -1. */
int session_unexpected(struct session *session, const struct message *message);

/*
 * After the job failed: when all we know is that a connection broke, waits
 * up to two seconds for the peer's own account; when the cause is ours,
 * tells the peer.  Before anything is waited for that may not end, as a disk.
 * Once a session: later calls do nothing.
 */
void session_settle_error(struct session *session);

/* Tolerates one that was never opened. */
void session_close(struct session *session);

#endif
