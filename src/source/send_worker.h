/*
 * send_worker.h - one lane of a source: reads chunks, sends frames.
 *
 *   work_queue_take -> image_map -> buffer_pool_lease -> image_read ... io_queue_reap
 *      -> digest_add, zero scan -> frames + conn_send -> buffer_pool_return
 *
 * If digests show that the target already holds a chunk or leaf, or sums show
 * it for blocks (4 KiB) of a leaf, the lane sends only their position.  It does
 * not read a chunk again if this process knows its digest from an earlier
 * session or, with trust, if an earlier process read it.
 *
 * A lane is a thread with its own I/O queue, connection, pool and image
 * handle.  It ends when the cursor is empty, on the first error, or when
 * its connection is shut down.
 */
#ifndef CW_SOURCE_SEND_WORKER_H
#define CW_SOURCE_SEND_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "job/job.h"
#include "job/rate_limit.h"
#include "job/worker.h"
#include "net/addr.h"
#include "net/conn.h"
#include "plan/chunk_bitmap.h"
#include "plan/work_queue.h"
#include "resume/peer_chunks.h"
#include "wire/message.h"

/* Shared by all lanes of a source.  Each lane changes only the state of the
 * chunks it has taken from the cursor. */
struct source_plan {
    struct cw_job *job;
    struct work_queue work;
    struct work_order order; /* order of work, if missing chunks come first */
    struct rate_limit rate_limit;
    struct chunk_bitmap
        seen; /* chunks with their digest in job->status.digest */
    struct peer_chunks peer_chunks; /* what the target holds */
    bool is_trusting;            /* announced chunks need not be read again */
    bool has_changed;            /* the user lists the changed chunks */
    struct chunk_bitmap changed; /* that list, if has_changed */
    struct image_options image;  /* without an I/O queue */
    uint64_t virtual_bytes;
    struct addr target;
    struct conn_options conn;
    uint8_t secret[MESSAGE_SECRET_BYTES];
    enum cw_compress compress; /* as the user wishes */
    uint32_t codecs;           /* as the target agreed to */
    _Atomic unsigned running;  /* lanes that have not ended */
};

struct send_worker {
    struct worker lane;
    struct source_plan *plan;    /* borrowed */
    _Atomic(struct conn *) conn; /* set once by the lane; freed by _join() */
};

/* Starts the thread; plan->running counts it until it ends. */
int send_worker_start(struct send_worker *lane, struct source_plan *plan,
                      unsigned number, struct error *err);

/* Wakes the lane if it blocks on its connection. */
void send_worker_interrupt(struct send_worker *lane);

/* Waits for the lane to end and frees its resources.  Tolerates a lane that
 * was not started. */
void send_worker_join(struct send_worker *lane);

#endif
