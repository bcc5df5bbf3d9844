#include "output/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

/* Large enough for any summary. */
#define STDOUT_BYTES 16384

void standard_streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* Opened for the wrong direction: reading a closed stdin as an empty
         * disk, or losing a result in stdout, must fail. */
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", mode) != fd) /* gets the lowest free number */
            _exit(EXIT_FAILURE);
    }
    setvbuf(stdout, NULL, _IOFBF, STDOUT_BYTES);
}

int standard_streams_write(int fd, const char *text, size_t n)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };

    while (n > 0) {
        ssize_t r = write(fd, text, n);

        if (r < 0 && errno == EAGAIN) /* another process set O_NONBLOCK */
            r = poll(&room, 1, -1) < 0 ? -1 : 0;
        if (r < 0 && errno != EINTR)
            return -errno;
        text += r < 0 ? 0 : r;
        n -= r < 0 ? 0 : (size_t)r;
    }
    return 0;
}

/* Returns false if stdout blocks; its data is then dropped. */
static bool wait_for_reader(int timeout_ms)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

    if (timeout_ms < 0 || __fpending(stdout) == 0 ||
        poll(&out, 1, timeout_ms) != 0)
        return true;
    __fpurge(stdout);
    return false;
}

int standard_streams_flush(int timeout_ms)
{
    int copy;

    if (!wait_for_reader(timeout_ms))
        return -ETIMEDOUT;
    errno = 0;
    if (fflush(stdout) != 0)
        return errno != 0 ? -errno : -EIO;
    if (ferror(stdout)) /* an earlier error: errno is lost */
        return -EIO;
    /* NFS reports ENOSPC at close(2). */
    copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy >= 0 && close(copy) < 0 ? -errno : 0;
}
