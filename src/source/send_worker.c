#include "source/send_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/channel.h"
#include "transfer/chunk_reader.h"
#include "transfer/compressor.h"
#include "wire/frame.h"

/* Long enough to tell 1 MiB a second from more. */
#define SPEED_NS      (CLOCK_SECOND_NS / 10)
#define LAST_WORDS_NS (CLOCK_SECOND_NS / 4)

struct sender {
    struct send_worker *lane;
    struct source_plan *plan;
    struct conn *conn; /* borrowed from the lane */
    struct chunk_reader reader;
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
static bool target_has(const struct sender *w, struct chunk *chunk)
{
    return peer_chunks_classify(&w->plan->peer_chunks,
                                w->plan->job->status.digest, chunk, NULL,
                                NULL) == PEER_CHUNK_UNCHANGED;
}

/* Waits until the target has announced the chunk, or will not.  Sends the
 * gathered frames first: the target does not scan far ahead of them. */
static int await_announced(struct sender *w, uint64_t chunk, struct error *err)
{
    struct cw_job *job = w->plan->job;
    uint64_t start_ns;
    bool is_announced;

    if (!peer_chunks_is_pending(&w->plan->peer_chunks, chunk))
        return 0;
    if (send_held(w, err) < 0 || conn_flush(w->conn, err) < 0)
        return -1;
    start_ns = clock_now_ns();
    is_announced = peer_chunks_await(&w->plan->peer_chunks, chunk,
                                     &job->state.stop);
    job_waited(&job->status.progress.wait_net_ns, start_ns);
    return is_announced ? 0 : error_set(err, ERROR_CANCELLED, 0, "stopped");
}

static int send_zero_chunk(struct sender *w, struct chunk *chunk,
                           struct error *err)
{
    digest_add_zero(w->plan->job->status.digest, chunk->index);
    if (await_announced(w, chunk->index, err) < 0)
        return -1;
    return hold(w, target_has(w, chunk) ? FRAME_SAME : FRAME_ZERO, chunk->index,
                err);
}

/* The frame for the run of one type that begins at at. */
static struct frame next_run(const struct chunk *b, size_t at,
                             const struct block_set *same)
{
    size_t block = at / BLOCK_BYTES;
    size_t end = block_set_run_end(same, block, block_set_count(b->len));
    enum frame_type type = FRAME_SAME;

    if (!block_set_has(same, block)) {
        type = block_set_has(&b->zero, block) ? FRAME_ZERO : FRAME_DATA;
        end = block_set_run_end(&b->zero, block, end);
    }
    end *= BLOCK_BYTES;
    if (end > b->len)
        end = b->len;
    return (struct frame){ type, b->index * CHUNK_BYTES + at, end - at, 0 };
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

/* Sends a chunk that the target does not hold as a whole. */
static int send_changed(struct sender *w, struct chunk *b,
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
    if (peer_chunks_classify(&w->plan->peer_chunks, digest, b, leaves, &same) ==
        PEER_CHUNK_UNCHANGED)
        return hold(w, FRAME_SAME, b->index, err);
    return send_changed(w, b, &same, err);
}

/* Counts the time waited for the network since the last call. */
static void note_network(struct sender *w)
{
    uint64_t now_ns = waited_ns(w);

    progress_add(&w->plan->job->status.progress.wait_net_ns,
                 now_ns - w->net_ns);
    w->net_ns = now_ns;
}

/* Digests and sends a chunk that is read. */
static int send_chunk(void *opaque, struct chunk *b, struct error *err)
{
    struct sender *w = opaque;
    int r = chunk_find_zero(b) ? send_zero_chunk(w, b, err)
                               : send_data_chunk(w, b, err);

    peer_chunks_drop(&w->plan->peer_chunks, b->index, 1);
    note_network(w);
    /* Count a chunk once over all sessions: progress never goes back. */
    if (chunk_bitmap_add(&w->plan->seen, b->index, 1))
        progress_add(&w->plan->job->status.progress.handled_bytes,
                     b->mapped_bytes);
    return r;
}

/* ---- chunks that need not be read ---- */

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
        return send_zero_chunk(w, b, err) < 0 ? -1 : 1;
    if (!may_skip_reading(plan, b->index))
        return 0;
    if (await_announced(w, b->index, err) < 0)
        return -1;
    if (!chunk_bitmap_has(&plan->seen, b->index) &&
        peer_chunks_holds(&plan->peer_chunks, b->index))
        trust(w, b);
    if (!target_has(w, b))
        return 0;
    return hold(w, FRAME_SAME, b->index, err) < 0 ? -1 : 1;
}

static int plan_chunk(void *opaque, struct chunk *b, struct error *err)
{
    struct sender *w = opaque;
    int r = do_without_reading(w, b, err);

    if (r != 0)
        peer_chunks_drop(&w->plan->peer_chunks, b->index, 1);
    return r;
}

/* ---- the thread ---- */

static int flush_conn(void *opaque, struct error *err)
{
    return conn_flush(((struct sender *)opaque)->conn, err);
}

static int open_reader(struct sender *w, struct error *err)
{
    static const struct chunk_reader_ops ops = {
        .plan = plan_chunk,
        .take = send_chunk,
        .idle = flush_conn,
    };
    struct source_plan *plan = w->plan;
    struct cw_job *job = plan->job;

    w->reader.ops = &ops;
    w->reader.opaque = w;
    w->reader.job = job;
    w->reader.stop = &job->state.stop;
    w->reader.work = &plan->work;
    w->reader.virtual_bytes = plan->virtual_bytes;
    return chunk_reader_open(&w->reader, &plan->image,
                             job->resources.queue_engine,
                             job_buffers_per_lane(job), err);
}

static int send_disk(struct sender *w, struct error *err)
{
    /* END asserts that the data sent is right: the image is checked first. */
    if (chunk_reader_run(&w->reader, err) < 0 || send_held(w, err) < 0 ||
        send_frame(w, FRAME_END, 0, 0, err) < 0)
        return -1;
    return conn_flush(w->conn, err);
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
    conn_count_wire(conn, &w->plan->job->status.progress.wire_bytes);
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

static int run_sender(struct worker *lane, struct error *err)
{
    struct sender *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "start a lane");
    w->lane = (struct send_worker *)lane;
    w->plan = w->lane->plan;
    compressor_open(&w->compressor, w->plan->compress, w->plan->codecs);
    r = open_reader(w, err);
    if (r == 0)
        r = join_target(w, err);
    if (r == 0)
        r = send_disk(w, err);
    if (r < 0)
        read_last_error(w, err);
    chunk_reader_close(&w->reader);
    compressor_close(&w->compressor);
    free(w);
    return r;
}

int send_worker_start(struct send_worker *lane, struct source_plan *plan,
                      unsigned number, struct error *err)
{
    lane->plan = plan;
    atomic_init(&lane->conn, NULL);
    return worker_start(&lane->lane, plan->job, &plan->running, number,
                        run_sender, err);
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
