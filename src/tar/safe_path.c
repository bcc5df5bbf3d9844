#include "tar/safe_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PRIVATE   0700
#define IMPLIED   0755 /* as tar makes a directory that its stream leaves out */

/* The next component of *path, and past it.  0: there is none. */
static int next_name(const char **path, char name[256])
{
    size_t len;

    for (;;) {
        *path += strspn(*path, "/");
        len = strcspn(*path, "/");
        if (len != 1 || (*path)[0] != '.')
            break;
        *path += len;
    }
    if (len == 0)
        return 0;
    if (len == 2 && memcmp(*path, "..", 2) == 0)
        return -EXDEV;
    if (len > 255)
        return -ENAMETOOLONG;
    memcpy(name, *path, len);
    name[len] = '\0';
    *path += len;
    return 1;
}

/* Opens name in *fd, in its place. */
static int step_into(int *fd, const char *name, bool make)
{
    int next;

    if (make && mkdirat(*fd, name, IMPLIED) < 0 && errno != EEXIST)
        return -errno;
    next = openat(*fd, name, DIRECTORY);
    if (next < 0)
        return errno == ENOTDIR ? -ELOOP : -errno;
    close(*fd);
    *fd = next;
    return 0;
}

int safe_path_open(struct safe_path *place, int dir_fd, const char *path,
                   bool make)
{
    AUTO_FD int fd = -1;
    char next[256];
    int r;

    place->fd = -1;
    if (path[0] == '/')
        return -EXDEV;
    if (strlen(path) >= SAFE_PATH_PATH_BYTES)
        return -ENAMETOOLONG;
    r = next_name(&path, place->name);
    if (r <= 0)
        return r < 0 ? r : 1;
    fd = openat(dir_fd, ".", DIRECTORY);
    if (fd < 0)
        return -errno;
    while ((r = next_name(&path, next)) > 0) {
        r = step_into(&fd, place->name, make);
        if (r < 0)
            return r;
        memcpy(place->name, next, sizeof(next));
    }
    if (r < 0)
        return r;
    place->fd = take_fd(&fd);
    return 0;
}

void safe_path_close(struct safe_path *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

static inline void auto_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The first name in the directory, which is not empty: 1; 0: it is. */
static int first_name(int dir_fd, char name[256])
{
    int fd = openat(dir_fd, ".", DIRECTORY);
    AUTO(auto_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *d;

    if (!dir) {
        int errnum = errno;

        if (fd >= 0)
            close(fd);
        return -errnum;
    }
    for (errno = 0; (d = readdir(dir));) {
        if (is_dot(d->d_name))
            continue;
        memcpy(name, d->d_name, strlen(d->d_name) + 1);
        return 1;
    }
    return -errno;
}

/*
 * Removes what is deepest along the first names, down from name: one file, or
 * one directory that has become empty.  1: there is more; 0: name is gone.
 */
static int remove_one(int dir_fd, const char *name)
{
    AUTO_FD int fd = openat(dir_fd, ".", DIRECTORY);
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
        r = fchmodat(fd, at, PRIVATE, 0); /* it may not let us in: try */
        (void)r;
        next = openat(fd, at, DIRECTORY);
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

int safe_path_remove(int dir_fd, const char *name)
{
    int r;

    do {
        r = remove_one(dir_fd, name);
    } while (r > 0);
    return r;
}
