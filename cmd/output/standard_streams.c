#include "output/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void standard_streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* The wrong way round: an empty disk read from a stdin that was
         * closed, or an answer lost in stdout, is an error. */
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", mode) != fd) /* the lowest that is free */
            _exit(EXIT_FAILURE);
    }
}

int standard_streams_flush(void)
{
    int copy;

    errno = 0;
    if (fflush(stdout) != 0)
        return errno != 0 ? -errno : -EIO;
    if (ferror(stdout)) /* earlier: its errno is gone */
        return -EIO;
    /* NFS says at a close that there is no room. */
    copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy >= 0 && close(copy) < 0 ? -errno : 0;
}
