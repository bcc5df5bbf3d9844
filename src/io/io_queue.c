/* Shared by both engines: when an io is complete, and who receives it. */
#include "io/io_queue.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "io/io_queue_engine.h"

int io_queue_open(enum cw_io_engine engine, unsigned depth, void *region,
                  size_t region_len, struct io_queue **queue, struct error *err)
{
    char cause[64];
    int r = 0;

    assert(depth > 0);
    if (engine != CW_IO_ENGINE_THREADS)
        r = io_queue_uring_open(depth, region, region_len, queue);
    if (r < 0 && engine == CW_IO_ENGINE_AUTO) {
        log_warn("io_uring refused for one ring: %s: helper threads instead",
                 strerror_r(-r, cause, sizeof(cause)));
        engine = CW_IO_ENGINE_THREADS;
    }
    if (engine == CW_IO_ENGINE_THREADS)
        r = io_queue_threads_open(depth, queue);
    if (r < 0)
        return error_set(err, ERROR_SYSTEM, -r, "open %s ring of depth %u",
                         io_queue_engine_name(engine), depth);
    return 0;
}

static bool is_direct(const struct io *io)
{
    return io->fd == io->file->direct_fd;
}

static void start_attempt(struct io_queue *queue, struct io *io)
{
    io->fd = file_fd_for(io->file, io_queue_attempt_buf(io),
                         io_queue_attempt_len(io), io_queue_attempt_offset(io));
    io->rw_flags = is_direct(io) ? 0 : file_rw_flags(io->file);
    queue->started++;
    queue->ops->start(queue, io);
}

/* Disables the I/O mode that failed, for all lanes.  Returns false if this io
 * has no other mode left. */
static bool retire_refused_way(struct io *io)
{
    if (is_direct(io))
        atomic_store_explicit(&io->file->direct_refused, true,
                              memory_order_relaxed);
    else if (io->rw_flags != 0)
        atomic_store_explicit(&io->file->dontcache_refused, true,
                              memory_order_relaxed);
    else
        return false;
    return true;
}

/* Evaluates a finished attempt.  Returns true if io is complete and its result
 * final; false if it needs another attempt. */
static bool settle_attempt(struct io *io)
{
    int moved = io->result;

    if (io->op == IO_POLL && moved >= 0) {
        io->result = 0;
        return true;
    }
    if (moved > 0) {
        io->done += (size_t)moved;
        io->result = 0;
        io->must_sleep = false;
        return io->done == io->len;
    }
    switch (moved) {
    case 0:
        /* A write that moves nothing without an error would repeat forever. */
        io->result = io->op == IO_READ ? -ENODATA : -EIO;
        return true;
    case -EAGAIN: io->must_sleep = true; return false;
    case -EINTR: return false;
    case -EINVAL: return is_direct(io) ? !retire_refused_way(io) : true;
    case -EOPNOTSUPP: return !retire_refused_way(io);
    default: return true;
    }
}

/* Finishes one attempt.  Returns false if none is finished and wait is
 * false. */
static bool settle_one(struct io_queue *queue, bool wait)
{
    struct io *io = queue->ops->finish(queue, wait);

    if (!io)
        return false;
    queue->started--;
    if (settle_attempt(io)) {
        io_queue_add(&queue->ready, io);
    } else if (queue->is_cancelling) {
        io->result = -ECANCELED;
        io_queue_add(&queue->ready, io);
    } else {
        start_attempt(queue, io);
    }
    return true;
}

void io_queue_submit(struct io_queue *queue, struct io *io)
{
    assert(io->len > 0 && io->file->fd >= 0);
    io->result = 0;
    io->done = 0;
    io->must_sleep = false;

    queue->in_flight++;
    if (io->op == IO_READ)
        io->done = file_read_cached(io->file, io->buf, io->len, io->offset);
    if (io->done == io->len) {
        io_queue_add(&queue->ready, io);
        return;
    }
    while (queue->started == queue->depth)
        settle_one(queue, true);
    start_attempt(queue, io);
}

bool io_queue_has_ready(const struct io_queue *queue)
{
    return queue->ready.first != NULL;
}

void io_queue_post(struct io_queue *queue, struct io *io, int result)
{
    io->result = result;
    queue->in_flight++;
    io_queue_add(&queue->ready, io);
}

/* Returns the next completed io, before its complete(); NULL as
 * io_queue_reap(). */
static struct io *take_ready(struct io_queue *queue, bool wait)
{
    struct io *io;

    while ((io = io_queue_take(&queue->ready)) == NULL)
        if (queue->started == 0 || !settle_one(queue, wait))
            return NULL;
    queue->in_flight--;
    return io;
}

struct io *io_queue_reap(struct io_queue *queue, bool wait)
{
    struct io *io;

    while ((io = take_ready(queue, wait)) != NULL) {
        if (io->complete)
            io = io->complete(io);
        if (io)
            return io;
    }
    return NULL;
}

unsigned io_queue_in_flight(const struct io_queue *queue)
{
    return queue->in_flight;
}

void io_queue_cancel(struct io_queue *queue)
{
    queue->is_cancelling = true;
    if (queue->started > 0)
        queue->ops->cancel(queue);
    while (take_ready(queue, true) != NULL)
        ;
    assert(queue->in_flight == 0 && queue->started == 0);
    queue->is_cancelling = false;
}

void io_queue_close(struct io_queue *queue)
{
    if (!queue)
        return;
    io_queue_cancel(queue);
    queue->ops->close(queue);
}

const char *io_queue_engine_name(enum cw_io_engine engine)
{
    switch (engine) {
    case CW_IO_ENGINE_AUTO: return "auto";
    case CW_IO_ENGINE_URING: return "io_uring";
    case CW_IO_ENGINE_THREADS: return "threads";
    }
    return "unknown";
}
