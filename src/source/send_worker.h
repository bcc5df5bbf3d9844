/*
 * send_worker.h - one lane of a source: reads chunks, sends frames.
 *
 *   cursor_take -> image_map -> pool_lease -> image_read ... ring_reap
 *      -> digest_add, zero scan -> frames + conn_send -> pool_return
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
    struct cursor cursor;
    struct pace pace;
    struct chunkset seen;       /* chunks with their digest in job->digest */
    struct told told;           /* what the target holds */
    bool is_trusting;           /* told chunks need not be read again */
    bool has_changed;           /* nor any but these, says the user: */
    struct chunkset changed;    /* since the target's copy was made */
    struct image_options image; /* without a ring */
    uint64_t virtual_bytes;
    struct addr target;
    struct conn_options conn;
    uint8_t secret[MESSAGE_SECRET_BYTES];
    enum cw_compress compress; /* as the user wishes */
    uint32_t codecs;           /* as the target agreed to */
    _Atomic unsigned running;  /* lanes that have not ended */
};

struct source_lane {
    struct lane lane;
    struct source_plan *plan;    /* borrowed */
    _Atomic(struct conn *) conn; /* set once by the lane; freed by _join() */
};

/* Starts the thread; plan->running counts it until it ends. */
int source_lane_start(struct source_lane *lane, struct source_plan *plan,
                      unsigned number, struct error *err);

/* Wakes the lane if it blocks on its connection. */
void source_lane_interrupt(struct source_lane *lane);

/* Waits for its end and frees what it had.  Tolerates an unstarted one. */
void source_lane_join(struct source_lane *lane);

#endif
