/*
 * send_worker.h - one lane of a source: reads chunks, sends frames.
 *
 *   work_queue_take -> image_map -> buffer_pool_lease -> image_read ... io_queue_reap
 *      -> digest_add, zero scan -> frames + conn_send -> buffer_pool_return
 *
 * A chunk or leaf that the target holds already, by its digest, is only named,
 * and so are grains of a leaf by their sums; a chunk whose digest this process knows from an earlier session is not read
 * again, nor, where it is to trust, one that an earlier process has read.
 *
 * A lane is a thread with a ring, a connection, a pool and an image handle of
 * its own.  It ends when the cursor is empty, on the first error, or when
 * its connection is shut down under it.
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

/* What all lanes of a source share: each changes only what concerns the
 * chunks it has taken from the cursor. */
struct source_plan {
    struct cw_job *job;
    struct work_queue work;
    struct work_order order; /* of it, where what is missing comes first */
    struct rate_limit rate_limit;
    struct chunk_bitmap
        seen; /* chunks with their digest in job->status.digest */
    struct peer_chunks peer_chunks; /* what the target holds */
    bool is_trusting;               /* told chunks need not be read again */
    bool has_changed;               /* nor any but these, says the user: */
    struct chunk_bitmap changed;    /* since the target's copy was made */
    struct image_options image;     /* without a ring */
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

/* Waits for its end and frees what it had.  Tolerates an unstarted one. */
void send_worker_join(struct send_worker *lane);

#endif
