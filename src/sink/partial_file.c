#include "sink/partial_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "sink/target_path.h"

/* Retries when another target finishes between open and lock. */
#define MAX_OPENS 16
/* More planted files than this are an attack, and reported. */
#define MAX_NAMES 8U

/* ---- ownership ---- */

/* Finds how a new file of this process looks beside name: NFS and CIFS may
 * choose owner and mode themselves.  False: no file can be created. */
static bool look_of_own_file(const char *name, struct stat *st)
{
    AUTO_FREE char *probe = NULL;
    AUTO_FD int fd = -1;

    if (asprintf(&probe, "%s.XXXXXX", name) < 0) {
        probe = NULL;
        return false;
    }
    fd = mkostemp(probe, O_CLOEXEC);
    if (fd < 0)
        return false;
    unlink(probe);
    return fstat(fd, st) == 0;
}

/* Could only its owner, who is the owner of as, have written the file? */
static bool is_owned_as(const struct stat *st, const struct stat *as)
{
    return st->st_uid == as->st_uid &&
           (st->st_mode & S_IWOTH & ~as->st_mode) == 0;
}

/* Returns NULL, or why the file may be another user's work. */
static const char *distrust(const char *path, const char *name,
                            const struct stat *st)
{
    struct stat old, own = { .st_uid = geteuid() };

    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (st->st_nlink > 1)
        return "it has another hard link";
    if (is_owned_as(st, &own) ||
        /* As final_name_copy_access() leaves it. */
        (lstat(path, &old) == 0 && S_ISREG(old.st_mode) &&
         is_owned_as(st, &old)) ||
        (look_of_own_file(name, &own) && is_owned_as(st, &own)))
        return NULL;
    return st->st_uid == geteuid() ? "other users can write it"
                                   : "it is another user's";
}

uint64_t partial_file_allocated_bytes(const char *path)
{
    for (unsigned i = 1; i <= MAX_NAMES; i++) {
        AUTO_FREE char *name = target_path_partial(path, i);
        struct stat st;

        if (!name || lstat(name, &st) < 0)
            return 0;
        if (!distrust(path, name, &st))
            return (uint64_t)st.st_blocks * 512;
    }
    return 0;
}

/* ---- the open file ---- */

bool partial_file_has_name(int fd, const char *name)
{
    struct stat held, named;

    return fstat(fd, &held) == 0 && lstat(name, &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

bool partial_file_lock(int fd, const char *name)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return false;
    log_warn("lock %s: %s: nothing keeps a second target away", name,
             strerrordesc_np(errno));
    return true;
}

/* ---- opening ---- */

static int partial_open_failed(const char *name, const char *directory, int r,
                               enum cw_io_mode wish, struct error *err)
{
    switch (-r) {
    case EACCES:
    case EPERM:
        return error_set(err, ERROR_TARGET_IO, -r,
                         "make %s: no right to write in %s (in a pod: the "
                         "volume needs fsGroup)",
                         name, directory);
    case EOPNOTSUPP:
        return error_set(err, ERROR_TARGET_IO, 0,
                         "open %s: no %s I/O on this filesystem", name,
                         file_mode_name(wish));
    case ENOSPC:
    case EDQUOT: return error_set(err, ERROR_NO_SPACE, -r, "make %s", name);
    default: return error_set(err, ERROR_TARGET_IO, -r, "make %s", name);
    }
}

/* If the group may write in the directory, it may write the disks in it. */
static void open_to_group(const struct partial_file *partial,
                          const char *directory, struct stat *st)
{
    struct stat dir;
    mode_t mode = (st->st_mode & 0777) | S_IRGRP | S_IWGRP;

    if (stat(directory, &dir) == 0 && (dir.st_mode & S_IWGRP) &&
        dir.st_gid == st->st_gid && fchmod(partial->file.fd, mode) == 0)
        st->st_mode = mode;
}

static void set_modes(struct partial_file *partial, const char *path,
                      const char *directory)
{
    struct stat st, old;

    if (fstat(partial->file.fd, &st) < 0)
        return;
    open_to_group(partial, directory, &st);
    partial->new_mode = st.st_mode & 0777;
    if (lstat(path, &old) == 0 && fchmod(partial->file.fd, 0600) < 0)
        log_debug("mode of %s: %s", partial->path, strerrordesc_np(errno));
}

enum outcome {
    OPENED,
    DISTRUSTED, /* *why has the reason */
    LOCKED,     /* by another target */
    CHANGED,    /* another target has finished it: retry */
    FAILED,     /* *r: -errno */
};

static enum outcome open_existing(struct partial_file *partial,
                                  const char *path, enum cw_io_mode wish,
                                  const char **why, int *r)
{
    struct stat st;

    *r = lstat(partial->path, &st) < 0 ? -errno : 0;
    if (*r == -ENOENT)
        return CHANGED;
    if (*r < 0)
        return FAILED;
    *why = distrust(path, partial->path, &st);
    if (*why)
        return DISTRUSTED;
    *r = file_open(&partial->file, partial->path, O_RDWR | O_NOFOLLOW, 0, wish);
    if (*r == -ENOENT)
        return CHANGED;
    if (*r < 0)
        return FAILED;
    /* It may have been replaced since. */
    *why = fstat(partial->file.fd, &st) < 0
               ? "it cannot be looked at"
               : distrust(path, partial->path, &st);
    if (*why)
        return DISTRUSTED;
    partial->new_mode = st.st_mode & 0777;
    partial->has_content = partial->file.allocated_bytes > 0;
    return OPENED;
}

/* Tries one name. */
static enum outcome open_name(struct partial_file *partial, const char *path,
                              const char *directory, enum cw_io_mode wish,
                              const char **why, int *r)
{
    enum outcome outcome = OPENED;

    *r = file_open(&partial->file, partial->path,
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0660, wish);
    if (*r == 0)
        set_modes(partial, path, directory);
    else if (*r == -EEXIST || *r == -ENOTBLK)
        outcome = open_existing(partial, path, wish, why, r);
    else
        outcome = FAILED;
    if (outcome != OPENED)
        return outcome;
    if (!partial_file_lock(partial->file.fd, partial->path))
        return LOCKED;
    return partial_file_has_name(partial->file.fd, partial->path) ? OPENED
                                                                  : CHANGED;
}

/* Tries one name until the outcome is final. */
static enum outcome open_settled(struct partial_file *partial, const char *path,
                                 const char *directory, enum cw_io_mode wish,
                                 const char **why, int *r)
{
    for (int i = 0; i < MAX_OPENS; i++) {
        enum outcome outcome = open_name(partial, path, directory, wish, why,
                                         r);

        if (outcome == OPENED)
            return outcome;
        file_close(&partial->file);
        if (outcome != CHANGED)
            return outcome;
    }
    return LOCKED;
}

int partial_file_open(const char *path, const char *directory,
                      enum cw_io_mode wish, struct partial_file *partial,
                      struct error *err)
{
    const char *why;
    int r;

    *partial = (struct partial_file){ .file = FILE_CLOSED };
    for (unsigned i = 1; i <= MAX_NAMES; i++) {
        free(partial->path);
        partial->path = target_path_partial(path, i);
        if (!partial->path)
            return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", path);
        switch (open_settled(partial, path, directory, wish, &why, &r)) {
        case OPENED: return 0;
        case DISTRUSTED:
            log_warn("%s is not used: %s", partial->path, why);
            continue;
        case FAILED:
            return partial_open_failed(partial->path, directory, r, wish, err);
        case LOCKED:
        case CHANGED:
            return error_set(err, ERROR_REFUSED, 0,
                             "%s is being written by another target",
                             partial->path);
        }
    }
    return error_set(err, ERROR_REFUSED, 0,
                     "%s and its like are not safe to use: remove them",
                     partial->path);
}
