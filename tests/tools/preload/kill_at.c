/*
 * kill_at.c - a library to preload: kills the process, as SIGKILL does, right
 * before or after its N-th call that changes what outlives it.
 *
 *   KILL_AT   2N: before the N-th such call (from 0), 2N+1: after it
 *   KILL_LOG  file that gets a line for each call that was made: its name and
 *             the path, or what /proc says of the descriptor
 *
 * Writes count where they go to a checkpoint.
 */
/* NOLINTBEGIN: the C library's functions under their names, by macros. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

static atomic_long next_point;

static long kill_point(void)
{
    const char *text = getenv("KILL_AT");

    return text ? strtol(text, NULL, 10) : -1;
}

static void pass(long point)
{
    if (point != kill_point())
        return;
    kill(getpid(), SIGKILL);
    pause();
}

/* The call is about to be made; returns its point. */
static long before(void)
{
    long point = atomic_fetch_add(&next_point, 2);

    pass(point);
    return point;
}

/* Only raw system calls: our own functions would count. */
static void note(const char *name, const char *path)
{
    const char *log = getenv("KILL_LOG");
    char line[512];
    int len = snprintf(line, sizeof(line), "%s %s\n", name, path);
    long fd;

    if (!log)
        return;
    fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND,
                 0600);
    if (fd < 0 || syscall(SYS_write, fd, line, (size_t)len) < 0)
        abort();
    syscall(SYS_close, fd);
}

static void after(long point, const char *name, const char *path)
{
    int errnum = errno;

    note(name, path);
    pass(point + 1);
    errno = errnum;
}

static const char *path_of(int fd, char path[256])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, 255);
    path[n > 0 ? n : 0] = '\0';
    return path;
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

/* where: the path that the call is about.  ISO C has no cast from an object's
 * pointer to a function's. */
#define BY(where, name, parameters, arguments) \
    int name parameters                        \
    {                                          \
        int(*call) parameters;                 \
        void *found = real(#name);             \
        char buf[256];                         \
        long point = before();                 \
        int r;                                 \
                                               \
        (void)buf;                             \
        memcpy(&call, &found, sizeof(call));   \
        r = call arguments;                    \
        after(point, #name, where);            \
        return r;                              \
    }

BY(path, unlink, (const char *path), (path))
BY(from, rename, (const char *from, const char *to), (from, to))
BY(from, renameat2,
   (int fd, const char *from, int to_fd, const char *to, unsigned flags),
   (fd, from, to_fd, to, flags))
BY(path_of(fd, buf), fsync, (int fd), (fd))
BY(path_of(fd, buf), fdatasync, (int fd), (fd))
BY(path_of(fd, buf), ftruncate, (int fd, off_t length), (fd, length))
BY(path_of(fd, buf), fallocate, (int fd, int mode, off_t offset, off_t length),
   (fd, mode, offset, length))
BY(path_of(fd, buf), fchmod, (int fd, mode_t mode), (fd, mode))
BY(path_of(fd, buf), fchown, (int fd, uid_t owner, gid_t group),
   (fd, owner, group))
BY(path_of(fd, buf), fsetxattr,
   (int fd, const char *name, const void *value, size_t len, int flags),
   (fd, name, value, len, flags))
BY(path_of(fd, buf), fremovexattr, (int fd, const char *name), (fd, name))

ssize_t write(int fd, const void *data, size_t len)
{
    char buf[256];
    bool counts = strstr(path_of(fd, buf), "clonewire-state") != NULL;
    long point = counts ? before() : 0;
    long r = syscall(SYS_write, fd, data, len);

    if (counts)
        after(point, "write", buf);
    return r;
}
/* NOLINTEND */
