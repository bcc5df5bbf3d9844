/*
 * io_queue_engine.h - what is common to all rings, and what an engine adds.
 * Private to src/io and its tests; everyone else includes io_queue.h.
 *
 * An io is moved by one or more attempts.  io_queue.c prepares an attempt, the
 * engine carries it out as one system call would, and io_queue.c judges what
 * came of it:
 *
 *   io_queue_submit -> attempt -> start() ... finish() -> all moved -> ready
 *                     ^                      |        error -----> ready
 *                     +-- short, EINTR, -----+                       |
 *                         EAGAIN, refused                    io_queue_reap()
 */
#ifndef CW_IO_IO_QUEUE_ENGINE_H
#define CW_IO_IO_QUEUE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"

/* What one attempt moves at most: its result must fit an int, and the kernel
 * itself moves less than 2 GiB per call. */
#define IO_QUEUE_ATTEMPT_BYTES ((size_t)1 << 30)

struct io_queue_ops {
    const char *name; /* "io_uring", "threads": for logs and tests */

    /* Starts an attempt on io: ring_attempt_*(), io->fd, io->rw_flags.
     * Never fails: what cannot be started comes back from finish().  At most
     * depth are started at once.  Required. */
    void (*start)(struct io_queue *queue, struct io *io);

    /* An io whose attempt has ended, with the bytes moved or -errno in
     * io->result.  NULL when none has, which with wait never happens.
     * Called only while attempts are started.  Required. */
    struct io *(*finish)(struct io_queue *queue, bool wait);

    /* Asks for an early end of all attempts; they still come back from
     * finish(), with -ECANCELED or what became of them.  Required. */
    void (*cancel)(struct io_queue *queue);

    /* Frees ring; no attempt is started.  Required. */
    void (*close)(struct io_queue *queue);
};

struct io_list {
    struct io *first;
    struct io *last; /* meaningless while first is NULL */
};

/* Every engine's own struct begins with this one. */
struct io_queue {
    const struct io_queue_ops *ops;
    unsigned depth;     /* attempts started at most */
    unsigned started;   /* attempts with the engine */
    unsigned in_flight; /* ios between io_queue_submit() and io_queue_reap() */
    bool is_cancelling; /* no further attempts */
    struct io_list ready; /* completed, not yet reaped */
};

static inline void io_queue_add(struct io_list *queue, struct io *io)
{
    io->next = NULL;
    if (queue->first)
        queue->last->next = io;
    else
        queue->first = io;
    queue->last = io;
}

/* NULL when empty. */
static inline struct io *io_queue_take(struct io_list *queue)
{
    struct io *io = queue->first;

    if (io)
        queue->first = io->next;
    return io;
}

static inline uint8_t *io_queue_attempt_buf(const struct io *io)
{
    return io->buf + io->done;
}

static inline size_t io_queue_attempt_len(const struct io *io)
{
    size_t left = io->len - io->done;

    return left < IO_QUEUE_ATTEMPT_BYTES ? left : IO_QUEUE_ATTEMPT_BYTES;
}

static inline uint64_t io_queue_attempt_offset(const struct io *io)
{
    return io->offset + io->done;
}

/* On success *ring is owned by the caller; else -errno. */
int io_queue_threads_open(unsigned depth, struct io_queue **queue);
int io_queue_uring_open(unsigned depth, void *region, size_t region_len,
                        struct io_queue **queue);

/*
 * Does io_uring work, in this process, at this moment?  Makes a small ring
 * and sends a NOP through it.  0, or -errno with the system call that was
 * refused in *refused: "io_uring_setup" or "io_uring_enter".
 */
int io_queue_uring_probe(const char **refused);

#endif
