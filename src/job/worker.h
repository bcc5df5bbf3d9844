/* worker.h - what lanes of every kind have: a thread that is counted. */
#ifndef CW_JOB_WORKER_H
#define CW_JOB_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "job/job.h"

/* Embedded first in a lane of some kind. */
struct worker {
    struct cw_job *job;        /* borrowed */
    _Atomic unsigned *running; /* borrowed: lanes that have not ended */
    unsigned number;
    pthread_t thread;
    bool started;
    /* The lane's work, on its own thread; its failure is the job's. */
    int (*run)(struct worker *lane, struct error *err);
};

/* Starts the thread; *running counts it until it ends, and then the job is
 * woken. */
int worker_start(struct worker *lane, struct cw_job *job,
                 _Atomic unsigned *running, unsigned number,
                 int (*run)(struct worker *lane, struct error *err),
                 struct error *err);

/* Waits for the thread's end.  False: there was none. */
bool worker_join(struct worker *lane);

#endif
