/*
 * aio.h - a write that leaves its file unlocked while the disk works.
 *
 * A filesystem may hold the inode lock during a whole synchronous O_DIRECT
 * write that allocates blocks (ext4 does); the writes of many threads then
 * reach the disk one by one.  An asynchronous write holds the lock only while
 * it is submitted. Where io_uring is refused, Linux's native AIO does this:
 * the default seccomp profiles of container runtimes allow it.
 *
 * A struct aio belongs to one thread and has at most one write in flight.
 */
#ifndef CW_IO_AIO_H
#define CW_IO_AIO_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct aio {
    aio_context_t context; /* 0: not yet */
    bool is_refused;       /* permanently: writes are synchronous */
};

#define AIO_CLOSED \
    {              \
        0          \
    }

/* Like pwritev2(2) with one buffer, but returns -errno.  Sets up the context
 * at the first write; if that is refused, writes synchronously. */
ssize_t aio_write(struct aio *aio, int fd, const struct iovec *iov,
                  off_t offset, int rw_flags);

/* Accepts a struct aio that never wrote. */
void aio_close(struct aio *aio);

#endif
