/*
 * job_state.h - must a job go on?  Its first error, its stop flag, and the
 * descriptors that wake who waits.
 */
#ifndef CW_JOB_JOB_STATE_H
#define CW_JOB_JOB_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

/* Any thread, all of it. */
struct job_state {
    int wake_fd; /* eventfd: the main thread has something to look at */
    int stop_fd; /* eventfd: stays readable once the job must end */
    atomic_bool stop;
    atomic_bool cancelled;       /* by cw_stop() */
    atomic_bool is_stalled;      /* by watchdog_check() */
    atomic_bool wants_reload;    /* by cw_reload() */
    atomic_bool wants_report;    /* by cw_report() */
    _Atomic uint64_t mismatches; /* failures of the kind ERROR_MISMATCH */
    pthread_mutex_t lock;        /* of first */
    struct error first;
};

/* Prepares zeroed memory for job_state_fini(). */
void job_state_zero(struct job_state *state);

/* Then makes its descriptors.  ERROR_SYSTEM. */
int job_state_init(struct job_state *state, struct error *err);
void job_state_fini(struct job_state *state);

/*
 * Records err unless an error is there, stops the job, wakes the main thread.
 * A failed disk replaces a lost connection: the kernel reports it once, and it
 * must not be forgotten when the job goes on.
 */
void job_state_fail(struct job_state *state, const struct error *err);

/* Must this worker end? */
bool job_state_stopping(const struct job_state *state);

/* Makes the main thread look. */
void job_state_wake(struct job_state *state);

/* Copies the first error; false when there is none. */
bool job_state_first_error(struct job_state *state, struct error *err);

/* A lost connection is a symptom: the peer's own words, when they arrive
 * after it, replace ours. */
void job_state_replace_error(struct job_state *state, const struct error *err);

/*
 * After a session has failed and all of its workers have ended: forgets the
 * error and the stop, so that another session can begin.  What cw_stop()
 * asked for stays.
 */
void job_state_go_on(struct job_state *state);

/* Main thread: waits for a wake-up, for other_fd (-1: none) to be readable,
 * or timeout_ms (-1: no limit).  True: other_fd has something. */
bool job_state_wait(struct job_state *state, int other_fd, int timeout_ms);

/* Has cw_stop() been called?  Then *err says so. */
bool job_state_is_cancelled(struct job_state *state, struct error *err);

/* Main thread: the same, but then the job has failed with it.  True: it must
 * end, for whatever reason. */
bool job_state_must_end(struct job_state *state);

#endif
