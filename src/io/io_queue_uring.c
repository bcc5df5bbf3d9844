/*
 * The io_uring engine.  Works from Linux 5.10; newer features are tried and
 * are optional.  One io_uring_enter per io: negligible at 1 MiB.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <liburing.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/io_queue_engine.h"

/* One thread submits and reaps, and the kernel runs completions only when that
 * thread asks: Linux 6.1.  TASKRUN_FLAG lets a peek see pending work. */
#define BEST_SETUP                                             \
    (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | \
     IORING_SETUP_TASKRUN_FLAG)

/* A kernel without memory for a request returns EAGAIN or EBUSY: it gets this
 * many tries to recover. */
#define PATIENCE_TRIES 1000
#define PATIENCE_NS    1000000

struct uring_ring {
    struct io_queue ring;
    struct io_uring uring;
    int broken;            /* permanent -errno: nothing can be submitted */
    struct io_list failed; /* attempts that were refused */
    void *region;          /* to register at the first io; then NULL */
    const uint8_t *fixed;  /* registered with the kernel, or NULL */
    size_t region_len;
    struct io *flying[]; /* ring.depth of them, NULL: free */
};

static struct uring_ring *uring_of(struct io_queue *ring)
{
    return (struct uring_ring *)ring;
}

static int setup(unsigned depth, struct io_uring *uring)
{
    struct io_uring_params params = { .flags = BEST_SETUP };
    int r = io_uring_queue_init_params(depth, uring, &params);

    if (r == -EINVAL) {
        params = (struct io_uring_params){ 0 };
        r = io_uring_queue_init_params(depth, uring, &params);
    }
    if (r < 0)
        return r;
    /* Linux 5.6, which also added the plain READ and WRITE used here; an
     * emulated io_uring may lack both. */
    if ((params.features & IORING_FEAT_RW_CUR_POS) == 0) {
        io_uring_queue_exit(uring);
        return -EINVAL;
    }
    return 0;
}

static bool is_transient(int r)
{
    return r == -EINTR || r == -EAGAIN || r == -EBUSY;
}

/* Submits everything prepared to the kernel.  Returns 0, or -errno if the
 * kernel refuses it for a second. */
static int submit(struct io_uring *uring)
{
    static const struct timespec pause = { .tv_nsec = PATIENCE_NS };
    int r = io_uring_submit(uring);

    for (int i = 0; is_transient(r) && i < PATIENCE_TRIES; i++) {
        if (r != -EINTR)
            nanosleep(&pause, NULL);
        r = io_uring_submit(uring);
    }
    return r < 0 ? r : 0;
}

/* Each sqe is submitted at once, so one is always free. */
static struct io_uring_sqe *take_sqe(struct io_uring *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(uring);

    if (!sqe)
        abort();
    return sqe;
}

static bool is_registered(const struct uring_ring *uring, const uint8_t *buf,
                          size_t len)
{
    uintptr_t begin = (uintptr_t)uring->fixed;
    uintptr_t at = (uintptr_t)buf;

    return uring->fixed && at >= begin && len <= uring->region_len &&
           at - begin <= uring->region_len - len;
}

static void prepare(const struct uring_ring *uring, const struct io *io,
                    struct io_uring_sqe *sqe)
{
    uint8_t *buf = io_queue_attempt_buf(io);
    unsigned len = (unsigned)io_queue_attempt_len(io);
    uint64_t offset = io_queue_attempt_offset(io);
    bool fixed = is_registered(uring, buf, len);

    if (io->op == IO_POLL) {
        io_uring_prep_poll_add(sqe, io->fd, POLLIN);
        return;
    }
    if (io->op == IO_READ && fixed)
        io_uring_prep_read_fixed(sqe, io->fd, buf, len, offset, 0);
    else if (io->op == IO_READ)
        io_uring_prep_read(sqe, io->fd, buf, len, offset);
    else if (fixed)
        io_uring_prep_write_fixed(sqe, io->fd, buf, len, offset, 0);
    else
        io_uring_prep_write(sqe, io->fd, buf, len, offset);
    sqe->rw_flags = io->rw_flags;
    /* Runs in a kernel thread that may sleep, so EAGAIN cannot recur. */
    if (io->must_sleep)
        io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
}

/* Returns the slot of io in the in-flight table; for NULL, a free slot. */
static struct io **place_of(struct uring_ring *uring, const struct io *io)
{
    for (unsigned i = 0; i < uring->ring.depth; i++)
        if (uring->flying[i] == io)
            return &uring->flying[i];
    abort(); /* more than depth, or a completion of an io never sent */
}

/*
 * Saves the kernel from mapping the pages for each io.  This is locked memory:
 * refused above RLIMIT_MEMLOCK, which is 8 MiB for an ordinary user.  It
 * faults in the whole region, so a queue that moves nothing (an empty disk, a
 * source in memory) skips it: saves 3 to 20 ms.
 */
static void register_region(struct uring_ring *uring)
{
    static atomic_flag has_warned = ATOMIC_FLAG_INIT;
    struct iovec iov = { .iov_base = TAKE_PTR(uring->region),
                         .iov_len = uring->region_len };
    char cause[64];
    int r = io_uring_register_buffers(&uring->uring, &iov, 1);

    if (r == 0)
        uring->fixed = iov.iov_base;
    else if (!atomic_flag_test_and_set(&has_warned))
        log_debug("io_uring: buffers not registered: %s",
                  strerror_r(-r, cause, sizeof(cause)));
}

static void uring_start(struct io_queue *ring, struct io *io)
{
    struct uring_ring *uring = uring_of(ring);
    struct io_uring_sqe *sqe;

    if (uring->region)
        register_region(uring);
    if (uring->broken == 0) {
        sqe = take_sqe(&uring->uring);
        prepare(uring, io, sqe);
        io_uring_sqe_set_data(sqe, io);
        uring->broken = submit(&uring->uring);
    }
    if (uring->broken != 0) {
        io->result = uring->broken;
        io_queue_add(&uring->failed, io);
        return;
    }
    *place_of(uring, NULL) = io;
}

/*
 * Returns the next completion in *cqe; false if there is none and wait is
 * false.
 *
 * Data in flight may be under DMA, so a permanently refused wait cannot be
 * recovered from.
 */
static bool next_cqe(struct uring_ring *uring, bool wait,
                     struct io_uring_cqe **cqe)
{
    for (;;) {
        int r = wait ? io_uring_wait_cqe(&uring->uring, cqe)
                     : io_uring_peek_cqe(&uring->uring, cqe);

        if (r == 0)
            return true;
        if (!wait)
            return false;
        if (!is_transient(r)) {
            log_error("wait for io_uring: error %d", -r);
            abort();
        }
    }
}

static struct io *uring_finish(struct io_queue *ring, bool wait)
{
    struct uring_ring *uring = uring_of(ring);
    struct io *io = io_queue_take(&uring->failed);
    struct io_uring_cqe *cqe;

    while (!io) {
        if (!next_cqe(uring, wait, &cqe))
            return NULL;
        io = io_uring_cqe_get_data(cqe); /* NULL: for a cancel request */
        if (io) {
            io->result = cqe->res;
            *place_of(uring, io) = NULL;
        }
        io_uring_cqe_seen(&uring->uring, cqe);
    }
    return io;
}

/* Linux 6.0.  Returns true if requested.  Does not wait: the reaper does. */
static bool cancel_all(struct io_uring *uring)
{
    struct io_uring_sync_cancel_reg cancel = {
        .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
    };
    int r = io_uring_register_sync_cancel(uring, &cancel);

    return r >= 0 || r == -ENOENT || r == -EALREADY || r == -ETIME;
}

static void cancel_one(struct uring_ring *uring, struct io *io)
{
    struct io_uring_sqe *sqe = take_sqe(&uring->uring);

    io_uring_prep_cancel(sqe, io, 0);
    io_uring_sqe_set_data(sqe, NULL);
    uring->broken = submit(&uring->uring);
}

static void uring_cancel(struct io_queue *ring)
{
    struct uring_ring *uring = uring_of(ring);

    if (cancel_all(&uring->uring))
        return;
    for (unsigned i = 0; i < uring->ring.depth && uring->broken == 0; i++)
        if (uring->flying[i])
            cancel_one(uring, uring->flying[i]);
}

static void uring_close(struct io_queue *ring)
{
    struct uring_ring *uring = uring_of(ring);

    /* The kernel frees a ring in the background; until then the region stays
     * pinned and charged to our cgroup, even if unmapped. */
    if (uring->fixed)
        io_uring_unregister_buffers(&uring->uring);
    io_uring_queue_exit(&uring->uring);
    free(uring);
}

static const struct io_queue_ops uring_ops = {
    .name = "io_uring",
    .start = uring_start,
    .finish = uring_finish,
    .cancel = uring_cancel,
    .close = uring_close,
};

int io_queue_uring_open(unsigned depth, void *region, size_t region_len,
                        struct io_queue **queue)
{
    struct uring_ring *uring = calloc(1, sizeof(*uring) +
                                             depth * sizeof(struct io *));
    int r;

    if (!uring)
        return -ENOMEM;
    r = setup(depth, &uring->uring);
    if (r < 0) {
        free(uring);
        return r;
    }
    uring->ring.ops = &uring_ops;
    uring->ring.depth = depth;
    uring->region = region;
    uring->region_len = region_len;
    *queue = &uring->ring;
    return 0;
}

static int send_nop(struct io_uring *uring)
{
    struct io_uring_cqe *cqe = NULL;
    int r;

    io_uring_prep_nop(take_sqe(uring));
    r = submit(uring);
    if (r == 0)
        r = io_uring_wait_cqe(uring, &cqe);
    return r < 0 ? r : cqe->res;
}

int io_queue_uring_probe(const char **refused)
{
    struct io_uring uring;
    int r = setup(1, &uring);

    *refused = "io_uring_setup";
    if (r < 0)
        return r;
    *refused = "io_uring_enter";
    r = send_nop(&uring);
    io_uring_queue_exit(&uring);
    return r;
}
