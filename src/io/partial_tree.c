#include "io/partial_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/directory.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PRIVATE   0700

/* Maximum retries if another process removes what we have just made. */
#define MAX_TRIES 16

/* Returns true with the lock, or if the filesystem does not support locks. */
static bool lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

static bool is_named(int fd, int dir_fd)
{
    struct stat held, named;

    return fstat(fd, &held) == 0 &&
           fstatat(dir_fd, PARTIAL_TREE_NAME, &named, AT_SYMLINK_NOFOLLOW) ==
               0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

int partial_tree_open(int dir_fd)
{
    AUTO_FD int fd = openat(dir_fd, PARTIAL_TREE_NAME, DIRECTORY);

    if (fd < 0)
        return -errno;
    return lock(fd) && is_named(fd, dir_fd) ? take_fd(&fd) : -EBUSY;
}

int partial_tree_clear(int dir_fd)
{
    AUTO_FD int fd = openat(dir_fd, PARTIAL_TREE_NAME, DIRECTORY);

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0 && !lock(fd))
        return -EBUSY;
    /* Also removes, if possible, what cannot be opened. */
    return directory_remove(dir_fd, PARTIAL_TREE_NAME);
}

int partial_tree_clear_in(const char *directory)
{
    AUTO_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : partial_tree_clear(fd);
}

int partial_tree_make(int dir_fd)
{
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        AUTO_FD int fd = -1;
        int r = partial_tree_clear(dir_fd);

        if (r == 0 && mkdirat(dir_fd, PARTIAL_TREE_NAME, PRIVATE) < 0)
            r = -errno;
        if (r < 0 && r != -EEXIST)
            return r;
        fd = openat(dir_fd, PARTIAL_TREE_NAME, DIRECTORY);
        if (fd < 0 && errno != ENOENT)
            return -errno;
        if (r == 0 && fd >= 0 && lock(fd) && is_named(fd, dir_fd))
            return take_fd(&fd);
    }
    return -EBUSY;
}

static uint64_t allocated_bytes(const struct stat *st)
{
    uint64_t bytes = (uint64_t)st->st_blocks * 512;

    /* The walk meets every hard link, so each counts its share. */
    return S_ISDIR(st->st_mode) ? bytes : bytes / st->st_nlink;
}

uint64_t partial_tree_bytes(const char *directory)
{
    AUTO_FREE char *path = NULL;
    AUTO_FD int fd = -1;
    uint64_t bytes = 0;
    FTSENT *entry;
    FTS *walk;

    if (asprintf(&path, "%s/" PARTIAL_TREE_NAME, directory) < 0) {
        path = NULL;
        return 0;
    }
    fd = open(path, DIRECTORY);
    if (fd < 0 || !lock(fd))
        return 0;
    walk = fts_open((char *[]){ path, NULL },
                    FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    while (walk && (entry = fts_read(walk)))
        if (entry->fts_info != FTS_DP && entry->fts_statp->st_nlink > 0)
            bytes += allocated_bytes(entry->fts_statp);
    if (walk)
        fts_close(walk);
    return bytes;
}
