/* worker.h - the counted thread that all kinds of lanes have. */
#ifndef CW_JOB_WORKER_H
#define CW_JOB_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "job/job.h"

/* The first member of every kind of lane. */
struct worker {
    struct cw_job *job;        /* borrowed */
    _Atomic unsigned *running; /* borrowed: lanes that have not ended */
    unsigned number;
    pthread_t thread;
    bool started;
    /* The lane's work, on its own thread; if it fails, the job fails. */
    int (*run)(struct worker *lane, struct error *err);
};

/* Starts the thread; *running counts it until it ends, which wakes the job. */
int worker_start(struct worker *lane, struct cw_job *job,
                 _Atomic unsigned *running, unsigned number,
                 int (*run)(struct worker *lane, struct error *err),
                 struct error *err);

/* Waits for the thread to end.  False: it was not started. */
bool worker_join(struct worker *lane);

#endif
