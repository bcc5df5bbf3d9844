/*
 * worker.h - what lanes of every kind have: a thread that is counted, and a
 * ring with the buffers registered with it.
 */
#ifndef CW_JOB_WORKER_H
#define CW_JOB_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/buffer_pool.h"
#include "io/io_queue.h"
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

/* Zeroed, then opened and closed by the thread that works with them. */
struct io_context {
    unsigned block_count; /* buffers of a chunk each */
    struct buffer_pool *pool;
    struct io_queue *ring;
};

int io_context_open(struct io_context *tools, enum io_engine engine,
                    unsigned block_count, struct error *err);

/*
 * Afterwards nothing is in flight and the buffers are gone, also those still
 * leased: what reads or writes refer to is closed after this.  Tolerates
 * half-open ones.
 */
void io_context_close(struct io_context *tools);

#endif
