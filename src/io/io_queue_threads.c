/*
 * The engine for systems that refuse io_uring: a few helper threads per queue,
 * each in one preadv2 or pwritev2 at a time.  A mutex and two condition
 * variables hand over an io; at 1 MiB per io their cost is not measurable.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/thread.h"
#include "io/aio.h"
#include "io/io_queue_engine.h"

/* Four requests keep a disk busy; more threads gain nothing, and each lane has
 * its own. */
#define HELPERS 4U

/* How long a helper waits in one poll(2), which cancelling cannot interrupt. */
#define POLL_MS 200

struct threads_ring {
    struct io_queue queue;
    pthread_mutex_t lock; /* protects all below but helpers */
    pthread_cond_t work;  /* queued, or is_closing */
    pthread_cond_t ended; /* finished has become non-empty */
    struct io_list queued;
    struct io_list finished;
    bool is_closing;
    bool owner_waits;
    pthread_t helpers[HELPERS];
    unsigned helper_count;
};

static struct threads_ring *threads_of(struct io_queue *queue)
{
    return (struct threads_ring *)queue;
}

/* Does a synchronous write block other writes to the file? */
static bool is_locked_write(const struct io *io)
{
    return io->fd == io->file->direct_fd && !io->file->is_block_device;
}

static int poll_once(const struct io *io)
{
    struct pollfd fd = { .fd = io->fd, .events = POLLIN };
    int n = poll(&fd, 1, POLL_MS);

    return n < 0 ? -errno : n == 0 ? -EAGAIN : n;
}

static int transfer(const struct io *io, struct aio *aio)
{
    struct iovec iov = {
        .iov_base = io_queue_attempt_buf(io),
        .iov_len = io_queue_attempt_len(io),
    };
    off_t offset = (off_t)io_queue_attempt_offset(io);
    ssize_t n;

    if (io->op == IO_POLL)
        return poll_once(io);
    if (io->op == IO_READ)
        n = preadv2(io->fd, &iov, 1, offset, io->rw_flags);
    else if (is_locked_write(io))
        return (int)aio_write(aio, io->fd, &iov, offset, io->rw_flags);
    else
        n = pwritev2(io->fd, &iov, 1, offset, io->rw_flags);
    return n < 0 ? -errno : (int)n;
}

/* Waits for work.  Returns NULL when the queue closes. */
static struct io *next_io(struct threads_ring *threads)
{
    struct io *io;

    pthread_mutex_lock(&threads->lock);
    while ((io = io_queue_take(&threads->queued)) == NULL &&
           !threads->is_closing)
        pthread_cond_wait(&threads->work, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
    return io;
}

/* Signals after the unlock: the woken thread takes the lock. */
static void give_back(struct threads_ring *threads, struct io *io)
{
    bool owner_waits;

    pthread_mutex_lock(&threads->lock);
    io_queue_add(&threads->finished, io);
    owner_waits = threads->owner_waits;
    pthread_mutex_unlock(&threads->lock);
    if (owner_waits)
        pthread_cond_signal(&threads->ended);
}

static void *help(void *opaque)
{
    struct threads_ring *threads = opaque;
    struct aio aio = AIO_CLOSED;
    struct io *io;

    while ((io = next_io(threads)) != NULL) {
        io->result = transfer(io, &aio);
        give_back(threads, io);
    }
    aio_close(&aio);
    return NULL;
}

static void threads_start(struct io_queue *queue, struct io *io)
{
    struct threads_ring *threads = threads_of(queue);

    pthread_mutex_lock(&threads->lock);
    io_queue_add(&threads->queued, io);
    pthread_mutex_unlock(&threads->lock);
    pthread_cond_signal(&threads->work);
}

static struct io *threads_finish(struct io_queue *queue, bool wait)
{
    struct threads_ring *threads = threads_of(queue);
    struct io *io;

    pthread_mutex_lock(&threads->lock);
    threads->owner_waits = wait;
    while ((io = io_queue_take(&threads->finished)) == NULL && wait)
        pthread_cond_wait(&threads->ended, &threads->lock);
    threads->owner_waits = false;
    pthread_mutex_unlock(&threads->lock);
    return io;
}

/* A helper finishes the transfer it has started: a disk transfer cannot be
 * interrupted. */
static void threads_cancel(struct io_queue *queue)
{
    struct threads_ring *threads = threads_of(queue);
    struct io *io;

    pthread_mutex_lock(&threads->lock);
    while ((io = io_queue_take(&threads->queued)) != NULL) {
        io->result = -ECANCELED;
        io_queue_add(&threads->finished, io);
    }
    pthread_mutex_unlock(&threads->lock);
}

static void threads_close(struct io_queue *queue)
{
    struct threads_ring *threads = threads_of(queue);

    pthread_mutex_lock(&threads->lock);
    threads->is_closing = true;
    pthread_cond_broadcast(&threads->work);
    pthread_mutex_unlock(&threads->lock);
    for (unsigned i = 0; i < threads->helper_count; i++)
        pthread_join(threads->helpers[i], NULL);

    pthread_cond_destroy(&threads->ended);
    pthread_cond_destroy(&threads->work);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

/* Fewer helpers than requested (a process limit in a pod) are slower, not
 * wrong; none at all is an error. */
static int start_helpers(struct threads_ring *threads, unsigned wanted)
{
    struct error err;

    while (threads->helper_count < wanted) {
        pthread_t *helper = &threads->helpers[threads->helper_count];

        if (thread_start(helper, help, threads, &err) < 0)
            return threads->helper_count > 0 ? 0 : -err.errnum;
        pthread_setname_np(*helper, "clonewire-io");
        threads->helper_count++;
    }
    return 0;
}

static const struct io_queue_ops threads_ops = {
    .name = "threads",
    .start = threads_start,
    .finish = threads_finish,
    .cancel = threads_cancel,
    .close = threads_close,
};

int io_queue_threads_open(unsigned depth, struct io_queue **queue)
{
    struct threads_ring *threads = calloc(1, sizeof(*threads));
    int r;

    if (!threads)
        return -ENOMEM;
    threads->queue.ops = &threads_ops;
    threads->queue.depth = depth;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->work, NULL);
    pthread_cond_init(&threads->ended, NULL);

    r = start_helpers(threads, depth < HELPERS ? depth : HELPERS);
    if (r < 0) {
        threads_close(&threads->queue);
        return r;
    }
    *queue = &threads->queue;
    return 0;
}
