#include "target/receive_worker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "image/image.h"
#include "job/watchdog.h"
#include "plan/work_queue.h"
#include "plan/zero_mask.h"
#include "target/chunk_checks.h"
#include "target/frame_rules.h"
#include "target/inbound.h"
#include "transfer/decompressor.h"
#include "transfer/io_context.h"
#include "transfer/readback.h"
#include "wire/frame.h"

struct receiver {
    struct target_plan *plan;
    struct conn *conn; /* borrowed from the lane */
    struct io_context io;
    struct sink_lane *sink;
    struct decompressor decompressor;
    struct inbound blocks[JOB_BUFFERS_PER_LANE];
    uint64_t net_ns;         /* of the connection's waiting, what is counted */
    struct inbound *current; /* the chunk that is coming in, or NULL */
    struct work_queue_range zeros; /* whole chunks that sink_zero() may hold */
    struct image *old;             /* the sink to read; NULL: not yet needed */
};

/* ---- the disk side ---- */

/* All of a chunk is on the disk, though not yet safe from a power cut. */
static void block_written(struct receiver *w, struct inbound *b)
{
    chunk_bitmap_add(&w->plan->on_disk, b->chunk, 1);
    buffer_pool_return(w->io.pool, TAKE_PTR(b->buf));
}

/* Makes zeros that the sink holds back: afterwards they are there. */
static int settle_zeros(struct receiver *w, struct error *err)
{
    uint64_t start_ns = watchdog_enter_disk(w->plan->job, w->plan->path,
                                            w->zeros.first * CHUNK_BYTES);
    int r = sink_lane_finish(w->sink, err);

    watchdog_leave_disk(w->plan->job, start_ns);
    if (r < 0)
        return -1;
    if (w->zeros.count > 0)
        chunk_bitmap_add(&w->plan->on_disk, w->zeros.first, w->zeros.count);
    w->zeros.count = 0;
    return 0;
}

/* May the pieces be written where they go? */
static int check_runs(const struct receiver *w, const struct inbound *b,
                      struct error *err)
{
    for (unsigned i = 0; i < b->run_count; i++)
        if (chunk_checks_overwrite(&b->checks, w->plan, b->runs[i].offset,
                                   b->runs[i].buf, b->runs[i].len, err) < 0)
            return -1;
    return 0;
}

/* The chunk is whole: digest it and start its writes. */
static int write_block(struct receiver *w, struct inbound *b, struct error *err)
{
    struct digest *digest = w->plan->job->status.digest;
    unsigned keep = chunk_merge_leaves(&b->merge, b->len);

    digest_leaves(digest, b->buf, b->len, keep, b->blank, b->leaves);
    digest_add_leaves(digest, b->chunk, b->leaves);
    if ((b->merge.is_foretold &&
         chunk_checks_foretold(w->plan, b->chunk, b->merge.wanted, err) < 0) ||
        check_runs(w, b, err) < 0)
        return -1;
    if (b->chunk == 0 && !((keep | b->blank) & 1))
        target_check_sectors(w->plan, b->buf, b->len);
    if (b->has_zeroed && settle_zeros(w, err) < 0)
        return -1;
    b->pending = b->run_count;
    if (b->run_count == 0)
        block_written(w, b);
    for (unsigned i = 0; i < b->run_count; i++)
        sink_write(w->sink, &b->runs[i]);
    return 0;
}

/* ---- unchanged blocks of a changed chunk ---- */

static int read_old(struct receiver *w, struct inbound *b, struct error *err)
{
    struct image_options options = readback_image(w->plan->job, w->plan->sink);

    options.queue = w->io.queue;
    if (!w->old && image_open(&options, &w->old, err) < 0) {
        b->pending = 0; /* nothing is in flight */
        return readback_failed(err, "what the target holds");
    }
    for (unsigned i = 0; i < b->merge.read_count; i++)
        image_read(w->old, &b->merge.reads[i]);
    return 0;
}

static int read_completed(struct receiver *w, struct io *io, struct error *err)
{
    struct inbound *b = io->owner;

    if (io->result < 0) {
        image_read_error(w->old, io, err);
        return readback_failed(err, "what the target holds");
    }
    return --b->pending > 0 ? 0 : write_block(w, b, err);
}

static int write_completed(struct receiver *w, struct io *io, struct error *err)
{
    struct inbound *b = io->owner;

    if (io->op == IO_READ)
        return read_completed(w, io, err);
    if (sink_written(w->sink, io, err) < 0)
        return -1;
    if (--b->pending > 0)
        return 0;
    progress_add(&w->plan->job->status.progress.data_bytes, b->data_bytes);
    if (b->is_part)
        return 0; /* it is not held */
    block_written(w, b);
    return 0;
}

/* Takes in completed reads and writes; waits for one when wait is set. */
static int reap(struct receiver *w, bool wait, struct error *err)
{
    struct io *io = wait ? watchdog_reap(
                               w->plan->job, w->io.queue, w->plan->path,
                               inbound_oldest(w->blocks, w->io.block_count))
                         : io_queue_reap(w->io.queue, false);

    for (; io; io = io_queue_reap(w->io.queue, false))
        if (write_completed(w, io, err) < 0)
            return -1;
    return 0;
}

/* Zeros, which the sink may make at once: that can take its time. */
static int zero(struct receiver *w, uint64_t offset, uint64_t length,
                struct error *err)
{
    uint64_t start_ns = watchdog_enter_disk(w->plan->job, w->plan->path,
                                            offset);
    int r = sink_zero(w->sink, offset, length, err);

    watchdog_leave_disk(w->plan->job, start_ns);
    return r;
}

static int lease_block(struct receiver *w, struct inbound **block,
                       struct error *err)
{
    while (buffer_pool_leased(w->io.pool) == w->io.block_count)
        if (reap(w, true, err) < 0)
            return -1;
    *block = NULL;
    for (unsigned i = 0; i < w->io.block_count; i++)
        if (!w->blocks[i].buf)
            *block = &w->blocks[i];
    assert(*block); /* as many blocks as buffers */
    (*block)->buf = buffer_pool_lease(w->io.pool);
    return 0;
}

/* Counts the waiting for the network since the last time. */
static void note_network(struct receiver *w)
{
    uint64_t now_ns = conn_waited_ns(w->conn);

    progress_add(&w->plan->job->status.progress.wait_net_ns,
                 now_ns - w->net_ns);
    w->net_ns = now_ns;
}

/* All of the chunk has come; what stays of its leaves has yet to be read. */
static int complete_block(struct receiver *w, struct inbound *b,
                          struct error *err)
{
    note_network(w);
    w->current = NULL;
    b->pending = chunk_merge_plan_reads(&b->merge, b->buf,
                                        b->chunk * CHUNK_BYTES, b->len, b);
    if (b->pending == 0) {
        if (write_block(w, b, err) < 0)
            return -1;
    } else if (read_old(w, b, err) < 0) {
        return -1;
    }
    return reap(w, false, err);
}

/* ---- the network side ---- */

/* A hole of whole chunks: held once the sink has made it. */
static int take_zero_chunks(struct receiver *w, const struct frame *f,
                            struct error *err)
{
    uint64_t first = f->offset / CHUNK_BYTES;
    uint64_t count = chunk_grid_count(f->length);

    if (frame_rules_claim(w->plan, f, count, err) < 0 ||
        chunk_checks_zero(w->plan, first, count, err) < 0)
        return -1;
    leaf_cache_drop(&w->plan->leaves, first, count);
    frame_rules_forget(w->plan, first, count);
    progress_add(&w->plan->job->status.progress.zero_bytes, f->length);
    if (w->zeros.count > 0 && first != w->zeros.first + w->zeros.count &&
        settle_zeros(w, err) < 0)
        return -1;
    if (zero(w, f->offset, f->length, err) < 0)
        return -1;
    if (w->zeros.count == 0)
        w->zeros.first = first;
    w->zeros.count += count;
    /* A disk that needs no preparation holds no frames back. */
    return sink_zero_min(w->plan->sink) == 0 ? settle_zeros(w, err) : 0;
}

/* Chunks that we have announced: they stay as they are. */
static int take_same_chunks(struct receiver *w, const struct frame *f,
                            struct error *err)
{
    uint64_t first = f->offset / CHUNK_BYTES;
    uint64_t count = chunk_grid_count(f->length);

    if (frame_rules_arrive(w->plan, f, count, err) < 0)
        return -1;
    leaf_cache_drop(&w->plan->leaves, first, count);
    if (!chunk_bitmap_has_all(&w->plan->on_disk, first, count))
        return frame_rules_refuse(f, "the target does not hold these chunks",
                                  err);
    progress_add(&w->plan->job->status.progress.resumed_bytes, f->length);
    return 0;
}

static int begin_chunk(struct receiver *w, const struct frame *f,
                       struct error *err)
{
    struct inbound *b;

    if (f->offset % CHUNK_BYTES != 0)
        return frame_rules_refuse(f, "chunk does not begin at its beginning",
                                  err);
    if (frame_rules_claim(w->plan, f, 1, err) < 0 ||
        lease_block(w, &b, err) < 0)
        return -1;
    inbound_start(b, f->offset / CHUNK_BYTES, w->plan->virtual_bytes);
    b->has_leaves = leaf_cache_get(&w->plan->leaves, b->chunk, b->leaves, NULL);
    chunk_checks_start(&b->checks, w->plan, b->chunk);
    leaf_cache_drop(&w->plan->leaves, b->chunk, 1);
    w->current = b;
    return 0;
}

static int recv_packed(struct receiver *w, struct inbound *b,
                       const struct frame *f, struct error *err)
{
    struct progress *progress = &w->plan->job->status.progress;

    if ((w->plan->codecs & MESSAGE_CODEC_ZSTD) == 0)
        return frame_rules_refuse(f, "compression was not agreed on", err);
    if (decompressor_recv(&w->decompressor, w->conn, f, b->buf + b->filled,
                          err) < 0)
        return -1;
    progress_add(&progress->compressed_bytes, f->length);
    progress_add(&progress->compressed_to_bytes, f->packed_bytes);
    return 0;
}

/* As much of it as comes, before a connection is lost, is kept. */
static int recv_plain(struct receiver *w, struct inbound *b, size_t len,
                      struct error *err)
{
    size_t done;
    int r = conn_recv_part(w->conn, b->buf + b->filled, len, &done, err);

    if (r < 0 && done > 0) {
        inbound_add_run(b, done);
        b->data_bytes += done;
        b->filled += done;
    }
    return r;
}

static int take_data(struct receiver *w, struct inbound *b,
                     const struct frame *f, struct error *err)
{
    size_t len = (size_t)f->length;
    int r = f->type == FRAME_ZSTD ? recv_packed(w, b, f, err)
                                  : recv_plain(w, b, len, err);

    if (r < 0)
        return -1;
    inbound_add_run(b, len);
    b->data_bytes += len;
    return 0;
}

/* Zeros inside a chunk: too short ones are written with their neighbours. */
static int take_zeros(struct receiver *w, struct inbound *b,
                      const struct frame *f, struct error *err)
{
    size_t len = (size_t)f->length;

    progress_add(&w->plan->job->status.progress.zero_bytes, len);
    if (len >= sink_zero_min(w->plan->sink)) {
        if (chunk_checks_overwrite(&b->checks, w->plan, f->offset, NULL, len,
                                   err) < 0)
            return -1;
        b->blank |= zero_mask_out(b->buf, b->len, b->filled, b->filled + len);
        b->has_zeroed = true;
        return zero(w, f->offset, len, err);
    }
    memset(b->buf + b->filled, 0, len);
    inbound_add_run(b, len);
    return 0;
}

static int take_same(struct receiver *w, struct inbound *b,
                     const struct frame *f, struct error *err)
{
    size_t end = b->filled + (size_t)f->length;

    if (!b->has_leaves)
        return frame_rules_refuse(f, "no leaves of this chunk were announced",
                                  err);
    if (!b->merge.is_foretold && (b->filled % LEAF_BYTES != 0 ||
                                  (end % LEAF_BYTES != 0 && end != b->len)))
        return frame_rules_refuse(f, "SAME of parts of leaves without PATCH",
                                  err);
    chunk_merge_keep(&b->merge, b->filled, end);
    progress_add(&w->plan->job->status.progress.resumed_bytes, f->length);
    return 0;
}

static int take_payload(struct receiver *w, struct inbound *b,
                        const struct frame *f, struct error *err)
{
    switch (f->type) {
    case FRAME_DATA:
    case FRAME_ZSTD: return take_data(w, b, f, err);
    case FRAME_ZERO: return take_zeros(w, b, f, err);
    case FRAME_SAME: return take_same(w, b, f, err);
    case FRAME_PATCH:
    case FRAME_END: break;
    }
    abort(); /* the caller has sorted them out */
}

static int take_part(struct receiver *w, const struct frame *f,
                     struct error *err)
{
    struct inbound *b;

    if (!w->current && begin_chunk(w, f, err) < 0)
        return -1;
    b = w->current;
    if (f->offset != b->chunk * CHUNK_BYTES + b->filled)
        return frame_rules_refuse(f, "it does not follow the one before", err);
    if (f->length > b->len - b->filled)
        return frame_rules_refuse(f, "it is longer than the rest of its chunk",
                                  err);
    if (take_payload(w, b, f, err) < 0)
        return -1;
    b->filled += (size_t)f->length;
    return b->filled == b->len ? complete_block(w, b, err) : 0;
}

/* Takes the digest of the chunk, whose frames follow. */
static int take_patch(struct receiver *w, const struct frame *f,
                      struct error *err)
{
    struct inbound *b;

    if (!w->plan->has_sums)
        return frame_rules_refuse(f, "PATCH, but no sums were announced", err);
    if (begin_chunk(w, f, err) < 0)
        return -1;
    b = w->current;
    if (!b->has_leaves)
        return frame_rules_refuse(f, "PATCH, but no leaves were announced",
                                  err);
    b->merge.is_foretold = true;
    return conn_recv(w->conn, b->merge.wanted,
                     digest_each(w->plan->job->status.digest), err);
}

static bool is_whole_chunks(const struct receiver *w, const struct frame *f)
{
    uint64_t end = f->offset + f->length;

    return f->type != FRAME_DATA && f->offset % CHUNK_BYTES == 0 &&
           (end % CHUNK_BYTES == 0 || end == w->plan->virtual_bytes);
}

/* 1: END; 0: go on; -1: failed. */
static int take_frame(struct receiver *w, struct error *err)
{
    uint8_t head[FRAME_HEADER_BYTES];
    enum frame_result result;
    struct frame f;

    if (conn_recv(w->conn, head, sizeof(head), err) < 0)
        return -1;
    result = frame_decode(head, sizeof(head), w->plan->virtual_bytes, &f);
    if (result != FRAME_OK)
        return error_set(err, ERROR_PROTOCOL, 0, "bad frame: %s",
                         frame_result_text(result));
    if (f.type == FRAME_END)
        return w->current ? frame_rules_refuse(&f, "END inside a chunk", err)
                          : 1;
    if (f.type == FRAME_PATCH)
        return w->current ? frame_rules_refuse(&f, "PATCH inside a chunk", err)
                          : take_patch(w, &f, err);
    if (f.type == FRAME_SAME && is_whole_chunks(w, &f))
        return w->current ? frame_rules_refuse(&f, "SAME inside a chunk", err)
                          : take_same_chunks(w, &f, err);
    if (f.type == FRAME_ZERO && !w->current && is_whole_chunks(w, &f))
        return take_zero_chunks(w, &f, err);
    return take_part(w, &f, err);
}

static int walk(struct receiver *w, struct error *err)
{
    int r;

    do {
        if (job_state_stopping(&w->plan->job->state))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        r = take_frame(w, err);
    } while (r == 0);
    if (r < 0)
        return -1;
    while (buffer_pool_leased(w->io.pool) > 0)
        if (reap(w, true, err) < 0)
            return -1;
    return settle_zeros(w, err);
}

/*
 * The lane is lost inside a chunk: the leaves that have come are written, and
 * announced to the source when it reconnects.  0, also when there are none.
 */
static int save_part(struct receiver *w, struct error *err)
{
    struct inbound *b = w->current;
    struct digest *digest = w->plan->job->status.digest;

    while (inbound_oldest(w->blocks, w->io.block_count) != INBOUND_NONE)
        if (reap(w, true, err) < 0)
            return -1;
    if (!b || !inbound_cut(b))
        return 0;
    digest_leaves(digest, b->buf, b->filled,
                  chunk_merge_leaves(&b->merge, b->filled), b->blank,
                  b->leaves);
    if (b->has_zeroed && settle_zeros(w, err) < 0)
        return -1;
    b->pending = b->run_count;
    for (unsigned i = 0; i < b->run_count; i++)
        sink_write(w->sink, &b->runs[i]);
    while (b->pending > 0)
        if (reap(w, true, err) < 0)
            return -1;
    if (!w->plan->is_surveyed)
        inbound_keep_part(b, digest_each(digest), &w->plan->leaves);
    return 0;
}

/* Not where the disk has failed, or a peer that breaks rules has sent it. */
static bool is_lost(const struct error *err)
{
    return err->kind == ERROR_TEMPORARY || err->kind == ERROR_CANCELLED;
}

/* ---- the thread ---- */

static int open_work(struct receiver *w, struct error *err)
{
    if (io_context_open(&w->io, w->plan->job->resources.queue_engine,
                        job_buffers_per_lane(w->plan->job), err) < 0)
        return -1;
    w->sink = sink_lane_open(w->plan->sink, w->io.queue);
    if (!w->sink)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a lane");
    return 0;
}

static void close_work(struct receiver *w)
{
    io_context_close(&w->io);
    image_close(w->old);
    sink_lane_close(w->sink);
    decompressor_close(&w->decompressor);
    free(w);
}

/* To END, or as far as it goes. */
static int receive(struct receiver *w, struct error *err)
{
    struct error disk;

    if (walk(w, err) == 0)
        return 0;
    if (is_lost(err) && save_part(w, &disk) < 0)
        *err = disk;
    return -1;
}

static int run(struct worker *lane, struct error *err)
{
    struct receive_worker *own = (struct receive_worker *)lane;
    struct receiver *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    w->plan = own->plan;
    w->conn = own->conn;
    conn_count_wire(w->conn, &w->plan->job->status.progress.wire_bytes);
    r = open_work(w, err);
    if (r == 0)
        r = receive(w, err);
    if (r == 0) { /* from here on the connection is the main thread's */
        atomic_fetch_add(&own->plan->ended, 1);
        job_state_wake(&own->plan->job->state);
    }
    close_work(w); /* beside the flush: a kernel takes its time over rings */
    return r;
}

int receive_worker_start(struct receive_worker *lane, struct target_plan *plan,
                         unsigned number, struct conn *conn, struct error *err)
{
    lane->plan = plan;
    lane->conn = conn;
    if (worker_start(&lane->lane, plan->job, &plan->running, number, run,
                     err) == 0)
        return 0;
    conn_close(lane->conn);
    lane->conn = NULL;
    return -1;
}

int receive_worker_check_end(struct receive_worker *lane, struct error *err)
{
    struct error closed; /* no error: nothing is to come */
    uint8_t more;

    if (conn_recv_some(lane->conn, &more, sizeof(more), &closed) <= 0)
        return 0;
    return error_set(err, ERROR_PROTOCOL, 0, "lane %u: bytes after END",
                     lane->lane.number);
}

void receive_worker_interrupt(struct receive_worker *lane)
{
    if (lane->lane.started)
        conn_shutdown(lane->conn);
}

void receive_worker_join(struct receive_worker *lane)
{
    if (!worker_join(&lane->lane))
        return;
    conn_close(lane->conn);
    lane->conn = NULL;
}
