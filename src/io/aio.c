#include "io/aio.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* glibc has no wrappers for these system calls. */
static long get_event(aio_context_t context, struct io_event *event,
                      long at_min, const struct timespec *limit)
{
    /* The variant with 64-bit time, on every ABI whose long has 64 bits. */
    return syscall(SYS_io_getevents, context, at_min, 1L, event, limit);
}

/* A submitted write must be waited for.  Finds a seccomp filter that forbids
 * the wait before the first write. */
static bool may_wait(aio_context_t context)
{
    const struct timespec none = { 0 };
    struct io_event event;

    return get_event(context, &event, 0, &none) == 0;
}

static bool open_context(struct aio *aio)
{
    if (aio->context != 0 || aio->is_refused)
        return !aio->is_refused;
    if (syscall(SYS_io_setup, 1U, &aio->context) == 0 && may_wait(aio->context))
        return true;
    aio_close(aio);
    aio->is_refused = true;
    return false;
}

/* Waits for the write in flight.  The disk reads from the buffer, so the
 * caller cannot safely go on without the wait. */
static ssize_t await(struct aio *aio)
{
    struct io_event event;
    long n;

    do
        n = get_event(aio->context, &event, 1, NULL);
    while (n == 0 || (n < 0 && errno == EINTR));
    if (n < 0) {
        log_error("wait for a write: error %d", errno);
        abort();
    }
    return (ssize_t)event.res;
}

ssize_t aio_write(struct aio *aio, int fd, const struct iovec *iov,
                  off_t offset, int rw_flags)
{
    struct iocb request = {
        .aio_lio_opcode = IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)fd,
        .aio_buf = (uintptr_t)iov->iov_base,
        .aio_nbytes = iov->iov_len,
        .aio_offset = offset,
        .aio_rw_flags = rw_flags,
    };
    struct iocb *requests = &request;
    ssize_t n;

    if (open_context(aio)) {
        if (syscall(SYS_io_submit, aio->context, 1L, &requests) == 1)
            return await(aio);
        aio->is_refused = true;
    }
    n = pwritev2(fd, iov, 1, offset, rw_flags);
    return n < 0 ? -errno : n;
}

void aio_close(struct aio *aio)
{
    if (aio->context != 0)
        syscall(SYS_io_destroy, aio->context);
    *aio = (struct aio)AIO_CLOSED;
}
