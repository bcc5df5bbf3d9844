/* A lane's handle: its writes, and the zeros it gathers. */
#include <assert.h>
#include <stdlib.h>

#include "sink/sink_private.h"

/* Longer runs are applied as they grow, so that progress shows. */
#define MAX_HELD_BYTES (UINT64_C(1) << 30)

struct sink_lane {
    struct sink *sink;      /* borrowed */
    struct io_queue *queue; /* borrowed */
    struct file_window window;
    uint64_t zero_begin; /* held back: [zero_begin, zero_end) */
    uint64_t zero_end;
};

struct sink_lane *sink_lane_open(struct sink *sink, struct io_queue *queue)
{
    struct sink_lane *lane = calloc(1, sizeof(*lane));

    if (lane) {
        atomic_store(&sink->is_touched, true);
        lane->sink = sink;
        lane->queue = queue;
    }
    return lane;
}

void sink_write(struct sink_lane *lane, struct io *io)
{
    assert(io->offset <= lane->sink->virtual_bytes &&
           io->len <= lane->sink->virtual_bytes - io->offset);
    io->file = &lane->sink->file;
    io_queue_submit(lane->queue, io);
}

int sink_written(struct sink_lane *lane, const struct io *io, struct error *err)
{
    struct sink *sink = lane->sink;
    int r = io->result;

    if (r == 0)
        r = file_window_written(&lane->window, &sink->file, io->offset,
                                io->len);
    return r < 0 ? sink_fail_at(sink, r, "write", io->len, io->offset, err) : 0;
}

static int apply_held(struct sink_lane *lane, struct error *err)
{
    uint64_t begin = lane->zero_begin, end = lane->zero_end;

    lane->zero_begin = lane->zero_end;
    return begin < end ? sink_zero_now(lane->sink, begin, end - begin, err) : 0;
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
    free(lane);
}
