/*
 * job_state.h - whether a job must go on: its first error, its stop flag, and
 * the descriptors that wake its waiting threads.
 */
#ifndef CW_JOB_JOB_STATE_H
#define CW_JOB_JOB_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

/* Any thread may use all fields. */
struct job_state {
    int wake_fd; /* eventfd: wakes the main thread */
    int stop_fd; /* eventfd: stays readable once the job must end */
    atomic_bool stop;
    atomic_bool cancelled;       /* by cw_stop() */
    atomic_bool is_stalled;      /* by watchdog_check() */
    atomic_bool wants_reload;    /* by cw_reload() */
    atomic_bool wants_report;    /* by cw_report() */
    _Atomic uint64_t mismatches; /* failures of kind ERROR_MISMATCH */
    pthread_mutex_t lock;        /* of first */
    struct error first;
};

/* Prepares zeroed memory for job_state_fini(). */
void job_state_zero(struct job_state *state);

/* After job_state_zero(): creates its descriptors.  ERROR_SYSTEM. */
int job_state_init(struct job_state *state, struct error *err);
void job_state_fini(struct job_state *state);

/*
 * Records err unless there is one already, stops the job, wakes the main
 * thread.  A disk failure replaces a lost connection: the kernel reports it
 * only once, and it must not be lost when the job continues.
 */
void job_state_fail(struct job_state *state, const struct error *err);

/* True if the job's workers must end. */
bool job_state_stopping(const struct job_state *state);

/* Wakes the main thread. */
void job_state_wake(struct job_state *state);

/* Copies the first error; false when there is none. */
bool job_state_first_error(struct job_state *state, struct error *err);

/* Replaces a lost connection, which is a symptom, with the peer's ERROR that
 * arrived after it. */
void job_state_replace_error(struct job_state *state, const struct error *err);

/*
 * After a session has failed and all of its workers have ended: forgets the
 * error and the stop, so that another session can begin.  What cw_stop()
 * requested stays.
 */
void job_state_go_on(struct job_state *state);

/* Main thread: waits for a wake-up, for other_fd (-1: none) to be readable,
 * or timeout_ms (-1: no limit).  True: other_fd is readable. */
bool job_state_wait(struct job_state *state, int other_fd, int timeout_ms);

/* True if cw_stop() was called; fills *err. */
bool job_state_is_cancelled(struct job_state *state, struct error *err);

/* Main thread: the same, and fails the job with that error.  True: the job must
 * end, for any reason. */
bool job_state_must_end(struct job_state *state);

#endif
