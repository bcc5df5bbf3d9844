#include "tar/safe_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define IMPLIED   0755 /* mode of directories missing from the stream, as tar */

/*
 * Copies the next component of *path and moves past it.  Returns 0 at the end.
 */
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

/* Replaces *fd by the directory name in it. */
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
