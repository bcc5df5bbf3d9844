/*
 * copy_worker.h - one lane of a copy within this machine: reads chunks and
 * writes them from the same buffers.
 *
 *   chunk_reader -> chunk_writer_put -> sink_write / sink_zero
 */
#ifndef CW_TRANSFER_COPY_WORKER_H
#define CW_TRANSFER_COPY_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "job/job.h"
#include "job/worker.h"
#include "plan/work_queue.h"
#include "sink/sink.h"

/* Shared by all lanes; only work and running change. */
struct local_plan {
    struct cw_job *job;
    struct sink *sink;
    struct work_queue work;
    struct image_options image; /* without an I/O queue */
    uint64_t virtual_bytes;
    _Atomic unsigned running; /* lanes that have not ended */
};

struct copy_worker {
    struct worker lane;      /* ended with worker_join() */
    struct local_plan *plan; /* borrowed */
};

/* Starts the thread; plan->running counts it until it ends. */
int copy_worker_start(struct copy_worker *lane, struct local_plan *plan,
                      unsigned number, struct error *err);

#endif
