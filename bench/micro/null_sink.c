#include "null_sink.h"

#include <stdlib.h>

#include "sink/sink_ops.h"

static int null_prepare(struct sink *sink, const struct sink_room *room,
                        struct error *err)
{
    (void)err;
    if (room->kind == SINK_ROOM_NEW)
        sink->size.disk_bytes = sink->virtual_bytes;
    sink->reads_zero = "discarded";
    return 0;
}

static void null_write(struct sink *sink, struct io_queue *queue, struct io *io)
{
    (void)sink;
    io_queue_post(queue, io, 0);
}

static int null_zero(struct sink *sink, uint64_t offset, uint64_t length,
                     struct error *err)
{
    (void)sink, (void)offset, (void)length, (void)err;
    return 0;
}

static int null_flush(struct sink *sink)
{
    (void)sink;
    return 0;
}

static void null_close(struct sink *sink)
{
    free(sink);
}

struct sink *null_sink_open(void)
{
    static const struct sink_ops ops = {
        .kind = "null",
        .prepare = null_prepare,
        .write = null_write,
        .zero = null_zero,
        .flush = null_flush,
        .close = null_close,
    };
    struct sink *sink = calloc(1, sizeof(*sink));

    if (sink) {
        sink->ops = &ops;
        sink->options.path = "null";
    }
    return sink;
}
