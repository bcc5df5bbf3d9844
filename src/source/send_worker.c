#include "source/send_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/channel.h"
#include "job/watchdog.h"
#include "transfer/chunk_reader.h"
#include "transfer/compressor.h"
#include "transfer/io_context.h"
#include "wire/frame.h"

/* Long enough to tell 1 MiB a second from more. */
#define SPEED_NS      (CLOCK_SECOND_NS / 10)
#define LAST_WORDS_NS (CLOCK_SECOND_NS / 4)

struct sender {
    struct send_worker *lane;
    struct source_plan *plan;
    struct conn *conn; /* borrowed from the lane */
    struct io_context io;
    struct image *image;
    struct chunk_reader chunks;
    struct chunk blocks[JOB_BUFFERS_PER_LANE];
    struct compressor compressor;
    uint64_t paced_ns;              /* time waited to keep the rate limit */
    uint64_t speed_ns, speed_acked; /* when is_slow was last updated */
    bool is_slow;                   /* frames of a leaf; see note_speed() */
    uint64_t net_ns;                /* part of the send wait that is counted */
    /* Adjacent whole chunks of one type, not yet sent. */
    enum frame_type held_type; /* FRAME_ZERO or FRAME_SAME */
    struct work_queue_range held;
};

/* ---- frames ---- */

/* Sends a piece when the rate allows it. */
static int send_piece(struct sender *w, const void *data, size_t len,
                      struct error *err)
{
    struct cw_job *job = w->plan->job;
    uint64_t paced_ns = rate_limit_wait(&w->plan->rate_limit, len,
                                        job->state.stop_fd);

    w->paced_ns += paced_ns;
    progress_add(&job->status.progress.paced_ns, paced_ns);
    return conn_send(w->conn, data, len, err);
}

/* Spreads bytes evenly under a low rate limit: a whole chunk in one burst and
 * then silence would look like a stalled network. */
static int send_bytes(struct sender *w, const void *data, size_t len,
                      struct error *err)
{
    size_t piece = rate_limit_piece(&w->plan->rate_limit), n;

    for (const char *at = data; len > piece; at += n, len -= n, data = at) {
        n = piece;
        if (send_piece(w, at, n, err) < 0 || conn_flush(w->conn, err) < 0)
            return -1;
    }
    return send_piece(w, data, len, err);
}

static int send_frame(struct sender *w, enum frame_type type, uint64_t offset,
                      uint64_t length, struct error *err)
{
    struct frame frame = { type, offset, length, 0 };
    uint8_t head[FRAME_HEADER_BYTES];

    frame_encode(head, &frame);
    return send_bytes(w, head, sizeof(head), err);
}

/* Sends one frame for the whole chunks held back. */
static int send_held(struct sender *w, struct error *err)
{
    struct progress *progress = &w->plan->job->status.progress;
    uint64_t offset = w->held.first * CHUNK_BYTES;
    uint64_t length = w->held.count * CHUNK_BYTES;

    if (w->held.count == 0)
        return 0;
    w->held.count = 0;
    if (length > w->plan->virtual_bytes - offset)
        length = w->plan->virtual_bytes - offset;
    progress_add(w->held_type == FRAME_SAME ? &progress->resumed_bytes
                                            : &progress->zero_bytes,
                 length);
    return send_frame(w, w->held_type, offset, length, err);
}

/* Gathers adjacent whole chunks of one type: one frame for a hole of any size. */
static int hold(struct sender *w, enum frame_type type, uint64_t chunk,
                struct error *err)
{
    if (w->held.count > 0 && w->held_type == type &&
        chunk == w->held.first + w->held.count) {
        w->held.count++;
        return 0;
    }
    if (send_held(w, err) < 0)
        return -1;
    w->held_type = type;
    w->held = (struct work_queue_range){ chunk, 1 };
    return 0;
}

/* True if the target holds the chunk with the digest known here. */
static bool target_has(const struct sender *w, uint64_t chunk)
{
    return peer_chunks_agrees(&w->plan->peer_chunks,
                              w->plan->job->status.digest, chunk);
}

/* Waits until the target has announced the chunk, or will not.  Sends the
 * gathered frames first: the target does not scan far ahead of them. */
static int await_announced(struct sender *w, uint64_t chunk, struct error *err)
{
    struct cw_job *job = w->plan->job;
    uint64_t start_ns;
    bool goes_on;

    if (!peer_chunks_is_pending(&w->plan->peer_chunks, chunk))
        return 0;
    if (send_held(w, err) < 0 || conn_flush(w->conn, err) < 0)
        return -1;
    start_ns = clock_now_ns();
    goes_on = peer_chunks_await(&w->plan->peer_chunks, chunk, &job->state.stop);
    job_waited(&job->status.progress.wait_net_ns, start_ns);
    return goes_on ? 0 : error_set(err, ERROR_CANCELLED, 0, "stopped");
}

static int send_zero_chunk(struct sender *w, uint64_t chunk, struct error *err)
{
    digest_add_zero(w->plan->job->status.digest, chunk);
    if (await_announced(w, chunk, err) < 0)
        return -1;
    return hold(w, target_has(w, chunk) ? FRAME_SAME : FRAME_ZERO, chunk, err);
}

/* The frame for the run of one type that begins at at. */
static struct frame next_run(const struct chunk *b, size_t at,
                             const struct block_set *same)
{
    uint64_t offset = b->index * CHUNK_BYTES + at;
    size_t block = at / BLOCK_BYTES;
    size_t end = block_set_run_end(same, block, block_set_count(b->len)) *
                 BLOCK_BYTES;
    bool is_zero;

    if (end > b->len)
        end = b->len;
    if (block_set_has(same, block))
        return (struct frame){ FRAME_SAME, offset, end - at, 0 };
    end = chunk_run_end(b->buf, end, b->blank, at, &is_zero);
    return (struct frame){ is_zero ? FRAME_ZERO : FRAME_DATA, offset, end - at,
                           0 };
}

/* How many of len bytes at at are in the same leaf. */
static size_t leaf_part(size_t at, size_t len)
{
    size_t left = LEAF_BYTES - at % LEAF_BYTES;

    return len < left ? len : left;
}

/* Counts the run as sent. */
static void count_run(const struct sender *w, const struct frame *run)
{
    struct progress *progress = &w->plan->job->status.progress;

    progress_add(run->type == FRAME_ZERO   ? &progress->zero_bytes
                 : run->type == FRAME_SAME ? &progress->resumed_bytes
                                           : &progress->data_bytes,
                 run->length);
    if (run->type != FRAME_ZSTD)
        return;
    progress_add(&progress->compressed_bytes, run->length);
    progress_add(&progress->compressed_to_bytes, run->packed_bytes);
}

/*
 * Sends data, whose bytes are at plain, after the run before it, which has no
 * payload and may be empty.  Writes the headers into the bytes of that run (or
 * the headroom) right before the payload: one send covers everything and,
 * unless packed, copies nothing.
 */
static int send_run(struct sender *w, struct frame *data, uint8_t *plain,
                    const struct frame *before, struct error *err)
{
    uint8_t *payload = compressor_pack(&w->compressor, data, plain),
            *start = payload;
    size_t len = data->type == FRAME_ZSTD ? data->packed_bytes
                                          : (size_t)data->length;

    start -= FRAME_HEADER_BYTES;
    frame_encode(start, data);
    if (before->length > 0) {
        start -= FRAME_HEADER_BYTES;
        frame_encode(start, before);
    }
    count_run(w, data);
    return send_bytes(w, start, (size_t)(payload + len - start), err);
}

/* Sends a run that has no payload, unless it is empty. */
static int send_before(struct sender *w, const struct frame *before,
                       struct error *err)
{
    if (before->length == 0)
        return 0;
    return send_frame(w, before->type, before->offset, before->length, err);
}

/* Sends the frames of a chunk that has data.  same: the blocks that the target
 * holds. */
static int send_runs(struct sender *w, struct chunk *b,
                     const struct block_set *same, struct error *err)
{
    struct frame before = { .length = 0 }, run;

    for (size_t at = 0; at < b->len; at += (size_t)run.length) {
        uint8_t *plain = b->buf + at;

        run = next_run(b, at, same);
        if (w->is_slow && run.type == FRAME_DATA)
            run.length = leaf_part(at, (size_t)run.length);
        if (run.type == FRAME_DATA) {
            if (send_run(w, &run, plain, &before, err) < 0)
                return -1;
            before.length = 0;
            continue;
        }
        count_run(w, &run);
        if (send_before(w, &before, err) < 0)
            return -1;
        before = run;
    }
    return send_before(w, &before, err);
}

/*
 * If the target takes less than a chunk (1 MiB) per second, sends packed data
 * leaf by leaf: it can use nothing of a frame that a lost lane cuts short.
 */
static void note_speed(struct sender *w)
{
    uint64_t now_ns = clock_now_ns(), since_ns = now_ns - w->speed_ns;
    struct tcp_state state;

    if (!compressor_is_packing(&w->compressor) || since_ns < SPEED_NS)
        return;
    conn_get_tcp(w->conn, &state);
    w->is_slow = (state.acked_bytes - w->speed_acked) /
                     (since_ns / CLOCK_MS_NS) <
                 CHUNK_BYTES / 1000;
    w->speed_acked = state.acked_bytes;
    w->speed_ns = now_ns;
}

static uint64_t waited_ns(const struct sender *w)
{
    return conn_waited_ns(w->conn) + w->paced_ns;
}

/* Makes the target assemble the chunk from blocks (4 KiB), and sends the
 * digest that the result must have. */
static int send_patch(struct sender *w, const struct chunk *b,
                      struct error *err)
{
    const struct digest *digest = w->plan->job->status.digest;

    if (send_frame(w, FRAME_PATCH, b->index * CHUNK_BYTES, b->len, err) < 0)
        return -1;
    return send_bytes(w, digest_of(digest, b->index), digest_each(digest), err);
}

static int send_data(struct sender *w, struct chunk *b,
                     const struct peer_chunks_same *same, struct error *err)
{
    uint64_t start_ns = clock_now_ns(), waited = waited_ns(w);
    int r = same->is_merge ? send_patch(w, b, err) : 0;

    note_speed(w);
    if (r == 0)
        r = send_runs(w, b, &same->blocks, err);
    compressor_note(&w->compressor, start_ns, clock_now_ns(),
                    waited_ns(w) - waited,
                    atomic_load(&w->plan->job->status.peer_at_disk));
    return r;
}

/* Sends a chunk that has data and is read completely. */
static int send_data_chunk(struct sender *w, struct chunk *b, struct error *err)
{
    struct digest *digest = w->plan->job->status.digest;
    uint8_t leaves[DIGEST_LEAVES_BYTES];
    struct peer_chunks_same same;

    digest_leaves(digest, b->buf, b->len, 0, b->blank, leaves);
    digest_add_leaves(digest, b->index, leaves);
    if (await_announced(w, b->index, err) < 0)
        return -1;
    if (target_has(w, b->index))
        return hold(w, FRAME_SAME, b->index, err);
    if (w->plan->peer_chunks.surveys)
        chunk_clear(b);
    peer_chunks_find_same(&w->plan->peer_chunks, b->index, leaves, b->buf,
                          b->len, &same);
    return send_data(w, b, &same, err);
}

/* Counts the time waited for the network since the last call. */
static void note_network(struct sender *w)
{
    uint64_t now_ns = waited_ns(w);

    progress_add(&w->plan->job->status.progress.wait_net_ns,
                 now_ns - w->net_ns);
    w->net_ns = now_ns;
}

/* The chunk is read completely: digests and sends it, frees its buffer. */
static int send_block(struct sender *w, struct chunk *b, struct error *err)
{
    struct cw_job *job = w->plan->job;
    bool is_zero;
    int r;

    if (chunk_run_end(b->buf, b->len, b->blank, 0, &is_zero) == b->len &&
        is_zero) {
        r = send_zero_chunk(w, b->index, err);
    } else {
        r = send_data_chunk(w, b, err);
    }
    peer_chunks_drop(&w->plan->peer_chunks, b->index, 1);
    note_network(w);
    /* Count a chunk once over all sessions: progress never goes back. */
    if (chunk_bitmap_add(&w->plan->seen, b->index, 1))
        progress_add(&job->status.progress.handled_bytes, b->mapped_bytes);
    buffer_pool_return(w->io.pool, TAKE_PTR(b->buf));
    return r;
}

/* ---- reads ---- */

static int read_completed(struct sender *w, struct io *io, struct error *err)
{
    struct chunk *b = io->owner;

    if (io->result < 0)
        return image_read_error(w->image, io, err);
    if (--b->pending > 0)
        return 0;
    return send_block(w, b, err);
}

/* ---- the walk ---- */

static struct chunk *free_block(struct sender *w)
{
    for (unsigned i = 0; i < w->io.block_count; i++)
        if (!w->blocks[i].buf)
            return &w->blocks[i];
    return NULL;
}

/* Uses the announced digest of a chunk that the target holds. */
static void trust(struct sender *w, const struct chunk *b)
{
    struct source_plan *plan = w->plan;
    struct progress *progress = &plan->job->status.progress;

    digest_set(plan->job->status.digest, b->index,
               digest_of(plan->peer_chunks.digests, b->index));
    chunk_bitmap_add(&plan->seen, b->index, 1);
    progress_add(&progress->handled_bytes, b->mapped_bytes);
    progress_add(&progress->unread_bytes, b->len);
}

/* True if the chunk need not be read, provided that the target holds it. */
static bool may_skip_reading(const struct source_plan *plan, uint64_t chunk)
{
    if (plan->is_trusting || chunk_bitmap_has(&plan->seen, chunk))
        return true;
    return plan->has_changed && !chunk_bitmap_has(&plan->changed, chunk);
}

/* Handles b without reading it, if possible.  1: done; 0: b must be read; -1:
 * failed. */
static int do_without_reading(struct sender *w, struct chunk *b,
                              struct error *err)
{
    struct source_plan *plan = w->plan;

    if (b->read_count == 0)
        return send_zero_chunk(w, b->index, err) < 0 ? -1 : 1;
    if (!may_skip_reading(plan, b->index))
        return 0;
    if (await_announced(w, b->index, err) < 0)
        return -1;
    if (!chunk_bitmap_has(&plan->seen, b->index) &&
        peer_chunks_holds(&plan->peer_chunks, b->index))
        trust(w, b);
    if (!target_has(w, b->index))
        return 0;
    return hold(w, FRAME_SAME, b->index, err) < 0 ? -1 : 1;
}

static int begin_block(struct sender *w, struct chunk *b, struct error *err)
{
    int r = do_without_reading(w, b, err);

    if (r == 0) {
        chunk_start(b, w->image);
        return 0;
    }
    buffer_pool_return(w->io.pool, TAKE_PTR(b->buf));
    peer_chunks_drop(&w->plan->peer_chunks, b->index, 1);
    return r < 0 ? -1 : 0;
}

/* Starts reads while there are free buffers.  0: the cursor is empty; 1: all
 * buffers are in use. */
static int feed(struct sender *w, struct error *err)
{
    struct chunk *b;

    while ((b = free_block(w))) {
        uint8_t *buf = buffer_pool_lease(w->io.pool);
        int r = chunk_reader_next(&w->chunks, b, buf, err);

        if (r <= 0) {
            buffer_pool_return(w->io.pool, buf);
            return r;
        }
        if (begin_block(w, b, err) < 0)
            return -1;
        if (io_queue_has_ready(w->io.queue))
            return 1; /* came from memory: send it while it is hot */
    }
    return 1;
}

/* The next completed read.  Flushes the connection before it waits for the
 * disk. */
static struct io *next_completed(struct sender *w, struct error *err)
{
    struct io *io = io_queue_reap(w->io.queue, false);

    if (io)
        return io;
    if (conn_flush(w->conn, err) < 0)
        return NULL;
    return watchdog_reap(w->plan->job, w->io.queue, w->plan->image.path,
                         chunk_oldest_offset(w->blocks, w->io.block_count));
}

static int walk(struct sender *w, struct error *err)
{
    for (;;) {
        int more = feed(w, err);
        struct io *io;

        if (more < 0)
            return -1;
        if (job_state_stopping(&w->plan->job->state))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (!more && buffer_pool_leased(w->io.pool) == 0)
            break;
        io = next_completed(w, err);
        if (!io || read_completed(w, io, err) < 0)
            return -1;
    }
    /* END asserts that the data sent is right: check the image first. */
    if (image_finish(w->image, err) < 0 || send_held(w, err) < 0 ||
        send_frame(w, FRAME_END, 0, 0, err) < 0)
        return -1;
    return conn_flush(w->conn, err);
}

/* ---- the thread ---- */

static int open_work(struct sender *w, struct error *err)
{
    struct image_options image = w->plan->image;

    if (io_context_open(&w->io, w->plan->job->resources.queue_engine,
                        job_buffers_per_lane(w->plan->job), err) < 0)
        return -1;
    image.queue = w->io.queue;
    if (image_open(&image, &w->image, err) < 0)
        return -1;
    compressor_open(&w->compressor, w->plan->compress, w->plan->codecs);
    w->chunks.work = &w->plan->work;
    w->chunks.image = w->image;
    w->chunks.virtual_bytes = w->plan->virtual_bytes;
    return 0;
}

static void close_work(struct sender *w)
{
    io_context_close(&w->io);
    image_close(w->image);
    chunk_reader_fini(&w->chunks);
    compressor_close(&w->compressor);
    free(w);
}

static int join_target(struct sender *w, struct error *err)
{
    struct message message = { .type = MESSAGE_JOIN };
    AUTO_FREE struct channel *channel = malloc(sizeof(*channel));
    struct conn *conn;

    if (!channel)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "join the target");
    if (conn_dial(&w->plan->target, w->plan->job->credentials.tls,
                  &w->plan->conn, &conn, err) < 0)
        return -1;
    atomic_store(&w->lane->conn, conn);
    w->conn = conn;
    if (conn_check_peer(conn, err) < 0)
        return -1;
    message.join.lane = (uint16_t)w->lane->lane.number;
    memcpy(message.join.secret, w->plan->secret, sizeof(w->plan->secret));
    channel_init(channel, conn);
    return channel_send(channel, &message, err);
}

/* Reads the ERROR that the target may have sent before it closed the lane. */
static void read_last_error(struct sender *w, struct error *err)
{
    AUTO_FREE struct channel *channel = malloc(sizeof(*channel));
    struct message message;
    struct error ignored;

    if (!channel || !w->conn || err->kind != ERROR_TEMPORARY)
        return;
    channel_init(channel, w->conn);
    if (channel_wait(channel, &message, clock_now_ns() + LAST_WORDS_NS,
                     w->plan->job->state.stop_fd, &ignored) > 0 &&
        message.type == MESSAGE_ERROR)
        channel_peer_error(&message.error, false, err);
}

static int run(struct worker *lane, struct error *err)
{
    struct sender *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    w->lane = (struct send_worker *)lane;
    w->plan = w->lane->plan;
    r = open_work(w, err);
    if (r == 0)
        r = join_target(w, err);
    if (r == 0)
        r = walk(w, err);
    if (r < 0)
        read_last_error(w, err);
    if (w->conn)
        progress_add(&w->plan->job->status.progress.wire_bytes,
                     conn_wire_sent(w->conn));
    close_work(w);
    return r;
}

int send_worker_start(struct send_worker *lane, struct source_plan *plan,
                      unsigned number, struct error *err)
{
    lane->plan = plan;
    atomic_init(&lane->conn, NULL);
    return worker_start(&lane->lane, plan->job, &plan->running, number, run,
                        err);
}

void send_worker_interrupt(struct send_worker *lane)
{
    struct conn *conn = atomic_load(&lane->conn);

    if (conn)
        conn_shutdown(conn);
}

void send_worker_join(struct send_worker *lane)
{
    if (!worker_join(&lane->lane))
        return;
    conn_close(atomic_load(&lane->conn));
    atomic_store(&lane->conn, NULL);
}
