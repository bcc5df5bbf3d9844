#include "record/dirty_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/file.h"

#define MARK_SUFFIX ".dirty"

/* Owned by the caller; NULL: out of memory. */
static char *mark_path(const char *record)
{
    char *path;

    return asprintf(&path, "%s" MARK_SUFFIX, record) < 0 ? NULL : path;
}

static int write_mark(int fd, const char *job)
{
    if (dprintf(fd, "job %s changes this disk in place\n", job) < 0)
        return -EIO;
    return fsync(fd) < 0 ? -errno : 0;
}

int dirty_mark_set(const char *record, const char *job, struct error *err)
{
    AUTO_FREE char *path = mark_path(record);
    AUTO_FD int fd = -1;
    int r;

    if (!path)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "mark a disk");
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
              0600);
    r = fd < 0 ? -errno : write_mark(fd, job);
    if (r == 0)
        r = file_sync_directory(path);
    return r < 0 ? error_set(err, ERROR_SYSTEM, -r, "make %s", path) : 0;
}

bool dirty_mark_is_set(const char *record)
{
    AUTO_FREE char *path = mark_path(record);

    return path && access(path, F_OK) == 0;
}

void dirty_mark_clear(const char *record)
{
    AUTO_FREE char *path = mark_path(record);
    int r = 0;

    if (!path)
        return;
    if (unlink(path) < 0)
        r = errno == ENOENT ? 0 : -errno;
    else
        r = file_sync_directory(path);
    if (r < 0)
        log_warn("remove %s: %s", path, strerrordesc_np(-r));
}
