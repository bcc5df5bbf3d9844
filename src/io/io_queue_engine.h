/*
 * io_queue_engine.h - what all I/O queues share, and what an engine adds.
 * Private to src/io and its tests; all other code includes io_queue.h.
 *
 * An io is moved by one or more attempts.  io_queue.c prepares an attempt, the
 * engine carries it out like one system call, and io_queue.c evaluates the
 * result:
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

/* Maximum length of one attempt: its result must fit an int, and the kernel
 * moves less than 2 GiB per call. */
#define IO_QUEUE_ATTEMPT_BYTES ((size_t)1 << 30)

struct io_queue_ops {
    const char *name; /* "io_uring", "threads": for logs and tests */

    /*
     * Starts an attempt on io with io->fd and io->rw_flags.  Never fails:
     * finish() returns an attempt that could not be started.  At most depth
     * are started at once.  Required.
     */
    void (*start)(struct io_queue *queue, struct io *io);

    /*
     * Returns an io whose attempt has ended, with the bytes moved or -errno in
     * io->result.  Returns NULL if none has; with wait, never.  Called only
     * while attempts are in flight.  Required.
     */
    struct io *(*finish)(struct io_queue *queue, bool wait);

    /* Requests an early end of all attempts; they still come back from
     * finish(), with -ECANCELED or their real result.  Required. */
    void (*cancel)(struct io_queue *queue);

    /* Frees the queue; no attempt is in flight.  Required. */
    void (*close)(struct io_queue *queue);
};

struct io_list {
    struct io *first;
    struct io *last; /* undefined while first is NULL */
};

/* The first member of every engine's own struct. */
struct io_queue {
    const struct io_queue_ops *ops;
    unsigned depth;     /* maximum attempts in flight */
    unsigned started;   /* attempts in flight */
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

/* Returns NULL if the list is empty. */
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

/* On success, the caller owns *queue; else returns -errno. */
int io_queue_threads_open(unsigned depth, struct io_queue **queue);
int io_queue_uring_open(unsigned depth, void *region, size_t region_len,
                        struct io_queue **queue);

/*
 * Does io_uring work in this process now?  Makes a small ring and sends a NOP
 * through it.  Returns 0, or -errno with the refused system call in *refused:
 * "io_uring_setup" or "io_uring_enter".
 */
int io_queue_uring_probe(const char **refused);

#endif
