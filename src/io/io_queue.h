/*
 * io_queue.h - asynchronous disk I/O: submit any number, reap one by one.
 *
 * An I/O queue belongs to one thread and is opened in that thread.  Two
 * engines share this interface: io_uring, and helper threads with pread/pwrite
 * where io_uring is refused (the normal case in a pod).  Completions come only
 * from io_queue_reap(), never from inside io_queue_submit().
 *
 *   submitter: io_queue_submit(io) ------> in flight ------> io_queue_reap() == io
 *              io and its buffer are borrowed in between
 *
 * A completed io moved its whole length or failed: short transfers continue,
 * EINTR and EAGAIN are resubmitted, and EINVAL from O_DIRECT is retried
 * through the page cache (and recorded in file->direct_refused).
 */
#ifndef CW_IO_IO_QUEUE_H
#define CW_IO_IO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/file.h"

enum io_op {
    IO_READ,
    IO_WRITE,
    IO_POLL /* moves nothing: completes when file->fd can be read; len is 1 */
};

struct io {
    /* Set by the submitter. */
    enum io_op op;
    struct file *file; /* borrowed */
    uint8_t *buf;      /* borrowed */
    size_t len;        /* > 0 */
    uint64_t offset;   /* in file */
    void *owner;       /* for the submitter's use */

    /*
     * If not NULL, io_queue_reap() calls it when io has completed: it returns
     * the io to hand out, or NULL for none yet.  A layer under the reaper can
     * thus split an io into parts; the reaper sees the whole io when the last
     * part is done.
     */
    struct io *(*complete)(struct io *io);

    /* Set at completion: 0 or -errno.  -ENODATA: the file ended inside the
     * range of a read.  -ECANCELED: by io_queue_cancel(). */
    int result;

    /* Private to the queue: progress, and the attempt in flight. */
    size_t done;     /* bytes moved so far */
    int fd;          /* one of file's */
    int rw_flags;    /* RWF_DONTCACHE or 0 */
    bool must_sleep; /* the previous attempt returned EAGAIN */
    struct io *next;
};

struct io_queue;

/*
 * Chooses the engine for the process: wish itself or, for CW_IO_ENGINE_AUTO,
 * io_uring if both its setup and its enter work (a NOP completes), else
 * threads.  why receives the reason, for one log line.
 *
 * Fails only if CW_IO_ENGINE_URING is requested and refused (ERROR_SYSTEM).
 */
int io_queue_choose(enum cw_io_engine wish, enum cw_io_engine *chosen,
                    char *why, size_t why_len, struct error *err);

/*
 * engine: from io_queue_choose(); or CW_IO_ENGINE_AUTO if io_uring was chosen but
 * not requested: falls back to helper threads, with a warning, if this queue
 * cannot get io_uring.  Locked memory is counted per user, so it may run out
 * after the choice.  depth: maximum in flight; a submit above it blocks until
 * one completes.  region: memory that all buffers come from, or NULL; it is
 * registered with the kernel at the first io if RLIMIT_MEMLOCK allows, and
 * outlives the queue.
 *
 * On success, the caller and its thread own *queue.  Fails with ERROR_SYSTEM.
 */
int io_queue_open(enum cw_io_engine engine, unsigned depth, void *region,
                  size_t region_len, struct io_queue **queue,
                  struct error *err);

/* Starts io, which completes exactly once, through io_queue_reap(). */
void io_queue_submit(struct io_queue *queue, struct io *io);

/*
 * Queues io as already completed with result.  Readers that are synchronous
 * inside use it, so that their callers see no difference.
 */
void io_queue_post(struct io_queue *queue, struct io *io, int result);

/*
 * Returns the next completed io, after its complete().  Returns NULL if none
 * is in flight, or if none has completed and wait is false.
 */
struct io *io_queue_reap(struct io_queue *queue, bool wait);

/* Has an io completed that io_queue_reap() would return without a wait or a
 * system call?  A reader that then uses it finds its data in the CPU cache. */
bool io_queue_has_ready(const struct io_queue *queue);

unsigned io_queue_in_flight(const struct io_queue *queue);

/*
 * Cancels queued ios and reaps until none is in flight; only then may the
 * caller free buffers.  Every submitted io has its result then, and
 * io_queue_reap() will not return it.  No complete() is called: a layer that
 * split an io frees the parts when it closes.  Ranges that were in flight have
 * unknown content on disk.
 */
void io_queue_cancel(struct io_queue *queue);

/* Cancels the remaining ios, then frees the queue.  Accepts NULL. */
void io_queue_close(struct io_queue *queue);

/* "io_uring" or "threads". */
const char *io_queue_engine_name(enum cw_io_engine engine);

#endif
