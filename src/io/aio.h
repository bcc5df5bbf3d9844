/*
 * aio.h - a write that leaves its file unlocked while the disk works.
 *
 * A filesystem may hold the inode's lock during all of a synchronous O_DIRECT
 * write that allocates blocks (ext4 does): writes of many threads then go to
 * the disk one by one.  Of an asynchronous one it is held while the request
 * is made.  Linux's native AIO is the way to ask for that where io_uring is
 * refused: the default seccomp profiles of container runtimes allow it.
 *
 * A struct aio belongs to one thread, and there is one write at a time.
 */
#ifndef CW_IO_AIO_H
#define CW_IO_AIO_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct aio {
    aio_context_t context; /* 0: not yet */
    bool is_refused;       /* for good: writes are synchronous */
};

#define AIO_CLOSED \
    {              \
        0          \
    }

/* As pwritev2(2) with one buffer, but returns -errno.  What it needs is made
 * at the first write; refused, the write is synchronous. */
ssize_t aio_write(struct aio *aio, int fd, const struct iovec *iov,
                  off_t offset, int rw_flags);

/* Tolerates one that never wrote. */
void aio_close(struct aio *aio);

#endif
