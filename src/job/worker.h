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
struct lane {
    struct cw_job *job;        /* borrowed */
    _Atomic unsigned *running; /* borrowed: lanes that have not ended */
    unsigned number;
    pthread_t thread;
    bool started;
    /* The lane's work, on its own thread; its failure is the job's. */
    int (*run)(struct lane *lane, struct error *err);
};

/* Starts the thread; *running counts it until it ends, and then the job is
 * woken. */
int lane_start(struct lane *lane, struct cw_job *job, _Atomic unsigned *running,
               unsigned number,
               int (*run)(struct lane *lane, struct error *err),
               struct error *err);

/* Waits for the thread's end.  False: there was none. */
bool lane_join(struct lane *lane);

/* Zeroed, then opened and closed by the thread that works with them. */
struct lane_tools {
    unsigned block_count; /* buffers of a chunk each */
    struct pool *pool;
    struct ring *ring;
};

int lane_tools_open(struct lane_tools *tools, enum ring_engine engine,
                    unsigned block_count, struct error *err);

/*
 * Afterwards nothing is in flight and the buffers are gone, also those still
 * leased: what reads or writes refer to is closed after this.  Tolerates
 * half-open ones.
 */
void lane_tools_close(struct lane_tools *tools);

#endif
