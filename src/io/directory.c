#include "io/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PRIVATE         0700

DIR *directory_open(int dir_fd, const char *path)
{
    AUTO_FD int fd = openat(dir_fd, path, DIRECTORY_FLAGS);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (dir)
        (void)take_fd(&fd); /* the stream's */
    return dir;
}

const char *directory_next(DIR *dir)
{
    const struct dirent *entry;

    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is private to this
     * thread */
    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    return NULL;
}

/* ---- removal ---- */

/* Returns 1 and the first name in the directory, or 0 if it is empty. */
static int first_name(int dir_fd, char name[256])
{
    AUTO(auto_closedir) DIR *dir = directory_open(dir_fd, ".");
    const char *first = dir ? directory_next(dir) : NULL;

    if (!first)
        return -errno;
    memcpy(name, first, strlen(first) + 1);
    return 1;
}

/*
 * Descends from name along the first entries and removes the deepest: one
 * file, or one directory that has become empty.  Returns 1 if more is left, 0
 * if name is gone.
 */
static int remove_one(int dir_fd, const char *name)
{
    AUTO_FD int fd = openat(dir_fd, ".", DIRECTORY_FLAGS);
    char at[256], below[256];
    int r;

    memcpy(at, name, strlen(name) + 1);
    for (unsigned depth = 0; fd >= 0; depth++) {
        AUTO_FD int next = -1;

        if (unlinkat(fd, at, 0) == 0)
            return depth > 0;
        if (errno != EISDIR && errno != EPERM)
            return errno == ENOENT && depth == 0 ? 0 : -errno;
        if (unlinkat(fd, at, AT_REMOVEDIR) == 0)
            return depth > 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
            return -errno;
        r = fchmodat(fd, at, PRIVATE, 0); /* its mode may exclude us: try */
        (void)r;
        next = openat(fd, at, DIRECTORY_FLAGS);
        if (next < 0)
            return -errno;
        r = first_name(next, below);
        if (r <= 0)
            return r < 0 ? r : 1;
        memcpy(at, below, sizeof(at));
        close(fd);
        fd = take_fd(&next);
    }
    return -errno;
}

int directory_remove(int dir_fd, const char *name)
{
    int r;

    do {
        r = remove_one(dir_fd, name);
    } while (r > 0);
    return r;
}
