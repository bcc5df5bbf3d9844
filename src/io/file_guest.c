#include "io/file.h"

#include <fcntl.h>

/*
 * QEMU's block/file-posix.c: a process that uses permission i of an image
 * holds a shared lock on byte 100 + i.
 */
#define QEMU_LOCK_BASE   100
#define QEMU_PERM_READ   0 /* and relies on what it reads */
#define QEMU_PERM_WRITE  1
#define QEMU_PERM_RESIZE 3

/* Does a process hold a lock on that byte?  The query takes no lock. */
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

bool file_has_guest(int fd, bool may_read)
{
    return is_locked(fd, QEMU_PERM_WRITE) || is_locked(fd, QEMU_PERM_RESIZE) ||
           (may_read && is_locked(fd, QEMU_PERM_READ));
}
