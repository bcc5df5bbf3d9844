#include "image/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * QEMU's block/file-posix.c: a process that uses permission i of an image
 * holds a shared lock on byte 100 + i.  1: to write; 3: to resize.
 */
#define QEMU_LOCK_BASE   100
#define QEMU_PERM_WRITE  1
#define QEMU_PERM_RESIZE 3
#define ALLOW            "--allow-in-use reads it all the same"

/* Does anybody hold a lock on that byte?  Asking takes no lock. */
static bool is_locked(int fd, int permission)
{
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = QEMU_LOCK_BASE + permission,
        .l_len = 1,
    };

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int refuse_locked(const struct guard *guard, struct error *err)
{
    if (!is_locked(guard->fd, QEMU_PERM_WRITE) &&
        !is_locked(guard->fd, QEMU_PERM_RESIZE))
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s is in use: a running machine (QEMU) writes it; " ALLOW,
                     guard->path);
}

/* A device that we can claim is not mounted by anybody. */
static int open_container(struct guard *guard, bool allow_in_use,
                          struct error *err)
{
    struct stat st;
    int claim = 0;

    if (stat(guard->path, &st) == 0 && S_ISBLK(st.st_mode) && !allow_in_use)
        claim = O_EXCL;
    guard->fd = open(guard->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | claim);
    if (guard->fd < 0 && errno == EBUSY)
        return error_set(
            err, ERROR_CHANGED, 0,
            "%s is in use: mounted, or held by another program; " ALLOW,
            guard->path);
    return 0;
}

int guard_open(struct guard *guard, const char *path, bool allow_in_use,
               struct error *err)
{
    struct stat st;

    *guard = (struct guard){ .fd = -1, .path = path };
    if (strcmp(path, "-") == 0)
        return 0;
    if (open_container(guard, allow_in_use, err) < 0)
        return -1;
    if (guard->fd < 0 || fstat(guard->fd, &st) < 0)
        return 0;
    guard->is_file = S_ISREG(st.st_mode);
    guard->size_bytes = (uint64_t)st.st_size;
    guard->changed = st.st_mtim;
    return allow_in_use ? 0 : refuse_locked(guard, err);
}

int guard_check(const struct guard *guard, struct error *err)
{
    struct stat st;

    if (!guard->is_file)
        return 0;
    if (fstat(guard->fd, &st) < 0)
        return error_set(err, ERROR_SOURCE_IO, errno, "look at %s",
                         guard->path);
    if ((uint64_t)st.st_size == guard->size_bytes &&
        st.st_mtim.tv_sec == guard->changed.tv_sec &&
        st.st_mtim.tv_nsec == guard->changed.tv_nsec)
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s was written to while it was read: the copy is of no "
                     "single moment",
                     guard->path);
}

void guard_close(struct guard *guard)
{
    if (guard->fd >= 0)
        close(guard->fd);
    guard->fd = -1;
}
