/*
 * io_queue.h - asynchronous disk I/O: submit any number, reap one by one.
 *
 * A ring belongs to one thread and is opened in that thread.  Two engines
 * behind one face: io_uring, and helper threads with pread/pwrite for where
 * io_uring is refused (the normal case in a pod).  Completions come only out
 * of io_queue_reap(), never from inside io_queue_submit().
 *
 *   submitter: io_queue_submit(io) ------> in flight ------> io_queue_reap() == io
 *              io and its buffer are borrowed in between
 *
 * A completed io moved its whole length or failed: short transfers are
 * continued, EINTR and EAGAIN are resubmitted, and EINVAL from O_DIRECT is
 * retried through the page cache (and remembered in file->direct_refused).
 */
#ifndef CW_IO_IO_QUEUE_H
#define CW_IO_IO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/file.h"

enum io_engine {
    IO_ENGINE_AUTO,
    IO_ENGINE_URING,
    IO_ENGINE_THREADS
};

enum io_op {
    IO_READ,
    IO_WRITE
};

struct io {
    /* Set by the submitter. */
    enum io_op op;
    struct file *file; /* borrowed */
    uint8_t *buf;      /* borrowed */
    size_t len;        /* > 0 */
    uint64_t offset;   /* in file */
    void *owner;       /* the submitter's own */

    /*
     * NULL, or called by io_queue_reap() when io has completed, in place of
     * handing it out: returns the io to hand out, or NULL for none yet.  So
     * a layer below the reaper can split an io into parts, and the reaper
     * sees the whole come back once the last part is done.
     */
    struct io *(*complete)(struct io *io);

    /* Set when it completes: 0, or -errno.  -ENODATA: the file ended inside
     * the range of a read.  -ECANCELED: by io_queue_cancel(). */
    int result;

    /* The ring's own: how far it came, and the attempt under way. */
    size_t done;     /* bytes moved so far */
    int fd;          /* one of file's */
    int rw_flags;    /* RWF_DONTCACHE or 0 */
    bool must_sleep; /* the attempt before gave EAGAIN */
    struct io *next;
};

struct io_queue;

/*
 * Chooses the engine for the process: wish as it is, or for
 * IO_ENGINE_AUTO io_uring where both its setup and its enter work (a NOP
 * makes the round), else threads.  why (for one log line) says the cause.
 *
 * Fails only when IO_ENGINE_URING is wished and refused (ERROR_SYSTEM).
 */
int io_queue_choose(enum io_engine wish, enum io_engine *chosen, char *why,
                    size_t why_len, struct error *err);

/*
 * engine: from io_queue_choose(); or IO_ENGINE_AUTO, where io_uring was chosen
 * but not asked for: helper threads (and a warning) when this ring cannot be
 * had after all.  Locked memory is counted per user, so it may run out later
 * than at the choice.  depth: most in flight at once (a submit
 * beyond it blocks until one completes).  region: memory all buffers come
 * from, registered with the kernel at the first io where RLIMIT_MEMLOCK
 * allows, or NULL; it outlives the ring.
 *
 * On success *ring is owned by the caller and thread.  Fails with
 * ERROR_SYSTEM.
 */
int io_queue_open(enum io_engine engine, unsigned depth, void *region,
                  size_t region_len, struct io_queue **queue,
                  struct error *err);

/* Starts io, which completes exactly once, from io_queue_reap(). */
void io_queue_submit(struct io_queue *queue, struct io *io);

/*
 * Queues io as already completed with result, for readers that are
 * synchronous inside: their callers see no difference.
 */
void io_queue_post(struct io_queue *queue, struct io *io, int result);

/*
 * The next completed io, after its complete().  NULL when none is in flight,
 * or none has completed and wait is false.
 */
struct io *io_queue_reap(struct io_queue *queue, bool wait);

/* Has an io completed that io_queue_reap() would return without any waiting or
 * system call?  A reader that then goes on to use it finds it in the cache
 * of the CPU. */
bool io_queue_has_ready(const struct io_queue *queue);

unsigned io_queue_in_flight(const struct io_queue *queue);

/*
 * Cancels what is queued and reaps until nothing is in flight; only then may
 * buffers be freed.  Every submitted io has its result then, and io_queue_reap()
 * will not return it any more; no complete() is called: whoever split an io
 * frees the parts when it closes.  What was in flight has unknown content on
 * disk.
 */
void io_queue_cancel(struct io_queue *queue);

/* Cancels what is left, then frees.  Tolerates NULL. */
void io_queue_close(struct io_queue *queue);

/* "io_uring" or "threads". */
const char *io_queue_engine_name(enum io_engine engine);

#endif
