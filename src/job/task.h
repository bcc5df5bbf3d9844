/*
 * task.h - one blocking piece of work done beside the main thread, so that
 * heartbeats go on while a disk is being prepared or flushed.
 */
#ifndef CW_JOB_TASK_H
#define CW_JOB_TASK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "job/job.h"

struct task {
    struct cw_job *job; /* woken when the work is done */
    int (*work)(void *arg, struct error *err);
    void *arg;
    pthread_t thread;
    bool running; /* started and not yet joined */
    atomic_bool done;
    int result;
    struct error err;
};

/* Runs work(arg) on a thread of its own.  errand is the caller's, zeroed. */
int task_start(struct task *task, struct cw_job *job,
               int (*work)(void *arg, struct error *err), void *arg,
               struct error *err);

/* Has it ended?  Then task_join() does not block. */
bool task_is_done(const struct task *task);

/* Waits for its end.  The work's result, with its error; 0 if none runs. */
int task_join(struct task *task, struct error *err);

/*
 * From start to end: calls serve(arg), which waits a little at most, for as
 * long as the work goes on.  -1: the job has failed, by the work or by what
 * serve() met; then serve() has seen to it that the work ends soon.
 */
int task_run(struct task *task, struct cw_job *job,
             int (*work)(void *arg, struct error *err), int (*serve)(void *arg),
             void *arg);

#endif
