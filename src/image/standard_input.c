#include "image/standard_input.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

bool standard_input_is_pipe(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && !S_ISREG(st.st_mode) &&
           !S_ISBLK(st.st_mode);
}

/* Waits until standard input is readable, or stop_fd is. */
static int await_stdin(int stop_fd, struct error *err)
{
    struct pollfd fds[] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = stop_fd > 0 ? stop_fd : -1, .events = POLLIN },
    };
    int r;

    do
        r = poll(fds, 2, -1);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return error_set(err, ERROR_SOURCE_IO, errno, "wait for input");
    return fds[1].revents != 0 ? error_set(err, ERROR_CANCELLED, 0, "stopped")
                               : 0;
}

ssize_t standard_input_read(void *opaque, void *buf, size_t len,
                            struct error *err)
{
    ssize_t n;

    if (await_stdin((int)(intptr_t)opaque, err) < 0)
        return -1;
    do
        n = read(STDIN_FILENO, buf, len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        error_set(err, ERROR_SOURCE_IO, errno, "read %zu bytes", len);
    return n;
}
