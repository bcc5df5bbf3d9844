/*
 * receive_worker.h - one lane of a target: takes frames, writes chunks.
 *
 *   conn_recv header -> frame_decode -> claimed once? -> buffer_pool_lease
 *      -> conn_recv payload straight into the buffer ... chunk complete
 *      -> digest_add -> sink_write / sink_zero ... io_queue_reap -> buffer_pool_return
 *
 * No free buffer means no conn_recv, so a slow disk closes the TCP window.
 */
#ifndef CW_TARGET_RECEIVE_WORKER_H
#define CW_TARGET_RECEIVE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "job/job.h"
#include "job/worker.h"
#include "net/conn.h"
#include "plan/chunk_bitmap.h"
#include "resume/checkpointer.h"
#include "resume/chunk_merge.h"
#include "resume/leaf_cache.h"
#include "sink/sink.h"

/* What all lanes of a target share; only sets and counters change. */
struct target_plan {
    struct cw_job *job;
    struct sink *sink;
    struct checkpointer *checkpointer;
    struct chunk_bitmap came; /* in this session, each once */
    struct chunk_bitmap
        on_disk;         /* written in whole, digest in job->status.digest */
    bool is_again;       /* not the first session of this disk */
    bool is_finished;    /* it is whole and has its name: no writes */
    bool is_replaceable; /* then: but the next session may begin again, */
    atomic_bool is_replaced;  /* and is to: the source has changed */
    bool is_surveyed;         /* it was there before: see target_scan.h */
    bool has_hint;            /* of it only these chunks are worth a look: */
    struct chunk_bitmap hint; /* claimed by a record, not overwritten */
    struct chunk_bitmap unverified; /* held, and only the record says so */
    bool is_guarded;                /* only zeros may be overwritten */
    struct chunk_bitmap found;      /* then: looked at, or held from before, */
    struct chunk_bitmap announced;  /* and the source knows: they may come */
    struct leaf_cache leaves;       /* of chunks announced in LEAVES */
    bool has_sums;                  /* there, so that FRAME_PATCH may come */
    atomic_bool is_coarse;          /* a sum was wrong: no further sums */
    uint64_t virtual_bytes;
    uint32_t codecs;          /* as agreed for this session */
    const char *path;         /* of the sink, for messages */
    uint32_t sector_bytes;    /* logical sector the guest will see */
    _Atomic unsigned running; /* lanes that have not ended */
    _Atomic unsigned ended;   /* lanes that came to their END frame */
};

struct receive_worker {
    struct worker lane;
    struct target_plan *plan; /* borrowed */
    struct conn *conn;        /* owned; freed by _join() */
};

/* Takes conn (moved) after its JOIN and starts the thread. */
int receive_worker_start(struct receive_worker *lane, struct target_plan *plan,
                         unsigned number, struct conn *conn, struct error *err);

/* After its END: ERROR_PROTOCOL if the source has sent anything more. */
int receive_worker_check_end(struct receive_worker *lane, struct error *err);

/* Wakes the lane if it blocks on its connection. */
void receive_worker_interrupt(struct receive_worker *lane);

/* Waits for its end and frees what it had.  Tolerates an unstarted one. */
void receive_worker_join(struct receive_worker *lane);

/* A chunk at offset of the finished disk is to change: ERROR_REFUSED, or
 * ERROR_TEMPORARY where the next session may make the disk again. */
int target_refuse_change(struct target_plan *plan, uint64_t offset,
                         struct error *err);

/* Warns where the partition table at the beginning of a disk (len bytes at
 * data) counts in sectors of another size than the sink's. */
void target_check_sectors(const struct target_plan *plan, const uint8_t *data,
                          size_t len);

#endif
