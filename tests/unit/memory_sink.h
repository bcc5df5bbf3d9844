/* memory_sink.h - a sink that is neither a file nor a device: the disk is in
 * memory, where a test can look at it.  It also stands for how little a kind of
 * sink needs (sink/sink_ops.h). */
#ifndef CW_TESTS_MEMORY_SINK_H
#define CW_TESTS_MEMORY_SINK_H

#include <stdlib.h>
#include <string.h>

#include "sink/sink_ops.h"

struct memory_sink {
    struct sink sink;
    uint8_t *bytes;   /* owned; size.disk_bytes of them */
    int write_result; /* of every write: 0 or -errno */
    _Atomic unsigned writes, zeros, flushes, commits;
};

static struct memory_sink *memory_of(struct sink *sink)
{
    return (struct memory_sink *)sink;
}

/* Old content is not zero, so that a forgotten zero shows. */
static int memory_prepare(struct sink *sink, const struct sink_room *room,
                          struct error *err)
{
    struct memory_sink *memory = memory_of(sink);

    (void)err;
    if (room->kind != SINK_ROOM_NEW)
        return 0;
    sink->size.disk_bytes = sink->virtual_bytes;
    sink->zero_min = UINT64_C(64) << 10;
    sink->preallocation = "off";
    free(memory->bytes);
    memory->bytes = malloc(sink->virtual_bytes);
    memset(memory->bytes, 0xa5, sink->virtual_bytes);
    return 0;
}

static void memory_write(struct sink *sink, struct io_queue *queue,
                         struct io *io)
{
    struct memory_sink *memory = memory_of(sink);

    if (memory->write_result == 0)
        memcpy(memory->bytes + io->offset, io->buf, io->len);
    memory->writes++;
    io_queue_post(queue, io, memory->write_result);
}

static int memory_zero(struct sink *sink, uint64_t offset, uint64_t length,
                       struct error *err)
{
    (void)err;
    memset(memory_of(sink)->bytes + offset, 0, length);
    memory_of(sink)->zeros++;
    return 0;
}

static int memory_flush(struct sink *sink)
{
    memory_of(sink)->flushes++;
    return 0;
}

static int memory_commit(struct sink *sink, struct error *err)
{
    (void)err;
    memory_of(sink)->commits++;
    return 0;
}

static void memory_close(struct sink *sink)
{
    free(memory_of(sink)->bytes);
    free(sink);
}

static struct memory_sink *memory_sink_open(void)
{
    static const struct sink_ops ops = {
        .kind = "memory",
        .prepare = memory_prepare,
        .write = memory_write,
        .zero = memory_zero,
        .flush = memory_flush,
        .commit = memory_commit,
        .close = memory_close,
    };
    struct memory_sink *memory = calloc(1, sizeof(*memory));

    memory->sink.ops = &ops;
    memory->sink.options.path = "memory";
    return memory;
}

#endif
