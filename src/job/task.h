/*
 * task.h - runs one blocking function on its own thread, so that heartbeats
 * continue while a disk is prepared or flushed.
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

/* Runs work(arg) on its own thread.  The caller owns task, which is zeroed. */
int task_start(struct task *task, struct cw_job *job,
               int (*work)(void *arg, struct error *err), void *arg,
               struct error *err);

/* True if the task has ended: task_join() will not block. */
bool task_is_done(const struct task *task);

/* Waits for the task to end.  Returns work's result, with its error; 0 if no
 * task runs. */
int task_join(struct task *task, struct error *err);

/*
 * Starts the task, calls serve(arg), which blocks only briefly, until the task
 * ends, and joins it.  -1: the job has failed, in work() or in serve(); in the
 * latter case serve() must have made the work end soon.
 */
int task_run(struct task *task, struct cw_job *job,
             int (*work)(void *arg, struct error *err), int (*serve)(void *arg),
             void *arg);

#endif
