#include "io/source_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/device_in_use.h"
#include "io/device_stack.h"
#include "io/file.h"

#define ALLOW "--allow-in-use reads it all the same"

bool source_guard_identify(const struct source_guard *guard,
                           char identity[SOURCE_GUARD_IDENTITY_BYTES])
{
    return file_stamp(guard->fd, identity);
}

/* ---- in use? ---- */

/* why: "mounted on /srv", or already "in use by dm-0". */
static int refuse_used(const struct source_guard *guard, const char *why,
                       struct error *err)
{
    bool says_so = strncmp(why, "in use", strlen("in use")) == 0;

    return error_set(err, ERROR_CHANGED, 0, "%s is %s%s; " ALLOW, guard->name,
                     says_so ? "" : "in use: ", why);
}

static const char *reopen_path(const struct source_guard *guard)
{
    return guard->path[0] != '\0' ? guard->path : guard->name;
}

/* The description of a visible mount is more precise than that of a claim. */
static int check_use(const struct source_guard *guard, struct error *err)
{
    char why[PATH_MAX + 128];
    struct storage storage;
    bool is_device = S_ISBLK(guard->stat.st_mode);

    if (file_has_guest(guard->fd, false))
        return refuse_used(guard, "a running machine (QEMU) writes it", err);
    if (device_stack_of_fd(guard->fd, &storage) &&
        device_in_use_find(&storage, why, sizeof(why)))
        return refuse_used(guard, why, err);
    if (is_device && device_in_use_is_claimed(reopen_path(guard)))
        return refuse_used(guard, "mounted, or held by another program", err);
    if (is_device && !device_in_use_lock(guard->fd, false))
        return refuse_used(guard, "another program has locked it", err);
    return 0;
}

/* ---- opening ---- */

static int fill(struct source_guard *guard, struct error *err)
{
    snprintf(guard->path, sizeof(guard->path), "/proc/self/fd/%d", guard->fd);
    if (access(guard->path, F_OK) < 0)
        guard->path[0] = '\0';
    if (!guard->allow_in_use && check_use(guard, err) < 0)
        return -1;
    if (!source_guard_identify(guard, guard->identity))
        guard->identity[0] = '\0';
    return 0;
}

/* fd: moved; -1: it cannot be opened. */
static int guard_fd(struct source_guard **guard, int fd,
                    const struct source_guard *named, struct error *err)
{
    AUTO_FD int owned = fd;
    struct source_guard opened = *named;

    *guard = NULL;
    if (owned < 0 || fstat(owned, &opened.stat) < 0 ||
        (!S_ISREG(opened.stat.st_mode) && !S_ISBLK(opened.stat.st_mode)))
        return 0;
    opened.fd = owned;
    if (fill(&opened, err) < 0)
        return -1;
    *guard = malloc(sizeof(**guard));
    if (!*guard)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", named->name);
    **guard = opened;
    (void)take_fd(&owned);
    return 0;
}

int source_guard_open(struct source_guard **guard, const char *path,
                      const char *name, bool allow_in_use, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const struct source_guard named = {
        .name = name,
        .has_name = !is_stdin && (name == path || name[0] == '/'),
        .allow_in_use = allow_in_use,
    };

    return guard_fd(guard,
                    open(is_stdin ? "/proc/self/fd/0" : path,
                         O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                    &named, err);
}

int source_guard_open_here(struct source_guard **guard, const char *path,
                           bool allow_in_use, struct error *err)
{
    const struct source_guard named = {
        .name = path,
        .has_name = true,
        .allow_in_use = allow_in_use,
    };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

    if (fd < 0)
        return error_set_named(err, ERROR_SOURCE_IO, errno == ELOOP ? 0 : errno,
                               errno == ELOOP
                                   ? "open %s: it is a symbolic link, "
                                     "which may lead out of the volume"
                                   : "open %s",
                               path);
    return guard_fd(guard, fd, &named, err);
}

/* ---- the same? ---- */

static int refuse_written(const struct source_guard *guard, const char *how,
                          struct error *err)
{
    return error_set(err, ERROR_CHANGED, 0,
                     "%s was written to while it was read%s: the copy is of "
                     "no single moment",
                     guard->name, how);
}

/* If its name now refers to another file, we read an outdated disk. */
static int check_name(const struct source_guard *guard, struct error *err)
{
    const struct stat *before = &guard->stat;
    struct stat now;

    if (!guard->has_name || stat(guard->name, &now) < 0)
        return 0; /* a file that lost its name is still the same */
    if (S_ISBLK(before->st_mode)
            ? S_ISBLK(now.st_mode) && now.st_rdev == before->st_rdev
            : now.st_dev == before->st_dev && now.st_ino == before->st_ino)
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s was replaced by another file while it was read; run "
                     "the command again to copy that one",
                     guard->name);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec || a->tv_nsec != b->tv_nsec;
}

static int check_file(const struct source_guard *guard, struct error *err)
{
    const struct stat *before = &guard->stat;
    struct stat now;

    if (fstat(guard->fd, &now) < 0)
        return error_set(err, ERROR_SOURCE_IO, errno, "look at %s",
                         guard->name);
    if (now.st_size != before->st_size)
        return refuse_written(guard, ", and has another size", err);
    if (is_later(&now.st_mtim, &before->st_mtim))
        return refuse_written(guard, "", err);
    if (is_later(&now.st_ctim, &before->st_ctim))
        return refuse_written(guard,
                              " (its ctime says so: content, owner, "
                              "mode or links changed)",
                              err);
    return 0;
}

/* For a device without write counters, a mount or a writer still shows. */
static int check_device(const struct source_guard *guard, struct error *err)
{
    char now[SOURCE_GUARD_IDENTITY_BYTES];

    if (guard->identity[0] != '\0' && source_guard_identify(guard, now))
        return strcmp(now, guard->identity) == 0
                   ? 0
                   : refuse_written(guard, "", err);
    return device_in_use_is_claimed(reopen_path(guard))
               ? refuse_used(guard, "taken into use while it was read", err)
               : 0;
}

int source_guard_check(const struct source_guard *guard, struct error *err)
{
    if (guard->allow_in_use)
        return 0;
    if (check_name(guard, err) < 0)
        return -1;
    return S_ISBLK(guard->stat.st_mode) ? check_device(guard, err)
                                        : check_file(guard, err);
}

void source_guard_close(struct source_guard *guard)
{
    if (!guard)
        return;
    close(guard->fd);
    free(guard);
}
