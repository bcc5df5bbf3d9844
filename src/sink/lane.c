/* The handle of a lane: its writes, and the zero ranges it gathers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/local_sink.h"

#define ALIGN_BYTES ((size_t)4096)

/* Longer runs are applied as they grow, so that progress shows. */
#define MAX_HELD_BYTES (UINT64_C(1) << 30)

struct sink_lane {
    struct sink *sink;        /* borrowed */
    struct local_sink *local; /* the same, or NULL: another kind */
    struct io_queue *queue;   /* borrowed */
    struct file_window window;
    uint64_t zero_begin; /* pending: [zero_begin, zero_end) */
    uint64_t zero_end;
    uint8_t *left;      /* owned; read for comparison */
    size_t left_length; /* its capacity in bytes */
};

struct sink_lane *sink_lane_open(struct sink *sink, struct io_queue *queue)
{
    struct sink_lane *lane = calloc(1, sizeof(*lane));

    if (lane) {
        atomic_store(&sink->is_touched, true);
        lane->sink = sink;
        lane->local = sink->ops->local ? local_of(sink) : NULL;
        lane->queue = queue;
    }
    return lane;
}

void sink_write(struct sink_lane *lane, struct io *io)
{
    assert(io->offset <= lane->sink->virtual_bytes &&
           io->len <= lane->sink->virtual_bytes - io->offset);
    lane->sink->ops->write(lane->sink, lane->queue, io);
}

/* ---- comparison with existing content ---- */

/* Allocates len bytes, aligned for any device. */
static bool make_room(struct sink_lane *lane, size_t len)
{
    if (len <= lane->left_length)
        return true;
    free(lane->left);
    lane->left_length = (len + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
    lane->left = aligned_alloc(ALIGN_BYTES, lane->left_length);
    if (!lane->left)
        lane->left_length = 0;
    return lane->left != NULL;
}

static bool read_left(struct sink_lane *lane, const struct io *io)
{
    size_t done = 0;

    while (done < io->len) {
        uint8_t *to = lane->left + done;
        uint64_t offset = io->offset + done;
        ssize_t n = pread(
            file_fd_for(&lane->local->file, to, io->len - done, offset), to,
            io->len - done, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false; /* the write reports the error */
        done += (size_t)n;
    }
    return true;
}

bool sink_holds(struct sink_lane *lane, const struct io *io)
{
    struct local_sink *local = lane->local;

    if (!local || io->offset > local->left_bytes ||
        io->len > local->left_bytes - io->offset ||
        atomic_load(&local->misses) >= SINK_MISSES_MAX)
        return false;
    if (make_room(lane, io->len) && read_left(lane, io) &&
        memcmp(lane->left, io->buf, io->len) == 0) {
        atomic_store(&local->misses, 0);
        return true;
    }
    atomic_fetch_add(&local->misses, 1);
    return false;
}

int sink_written(struct sink_lane *lane, const struct io *io, struct error *err)
{
    struct sink *sink = lane->sink;
    int r = io->result;

    if (r == 0 && lane->local)
        r = file_window_written(&lane->window, &lane->local->file, io->offset,
                                io->len);
    return r < 0 ? sink_fail_at(sink, r, "write", io->len, io->offset, err) : 0;
}

static int apply_held(struct sink_lane *lane, struct error *err)
{
    uint64_t begin = lane->zero_begin, end = lane->zero_end;

    lane->zero_begin = lane->zero_end;
    return begin < end
               ? lane->sink->ops->zero(lane->sink, begin, end - begin, err)
               : 0;
}

int sink_zero(struct sink_lane *lane, uint64_t offset, uint64_t length,
              struct error *err)
{
    assert(offset <= lane->sink->virtual_bytes &&
           length <= lane->sink->virtual_bytes - offset);
    if (lane->sink->reads_zero)
        return 0;
    if (offset != lane->zero_end) {
        if (apply_held(lane, err) < 0)
            return -1;
        lane->zero_begin = offset;
    }
    lane->zero_end = offset + length;
    if (lane->zero_end - lane->zero_begin >= MAX_HELD_BYTES)
        return apply_held(lane, err);
    return 0;
}

int sink_lane_finish(struct sink_lane *lane, struct error *err)
{
    return apply_held(lane, err);
}

void sink_lane_close(struct sink_lane *lane)
{
    if (lane)
        free(lane->left);
    free(lane);
}
