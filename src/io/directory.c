#include "io/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

DIR *directory_open(int dir_fd, const char *path)
{
    AUTO_FD int fd = openat(dir_fd, path,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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
