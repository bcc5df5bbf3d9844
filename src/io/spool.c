#include "io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/iszero.h"
#include "base/parse.h"

/* Zeros are left out in steps of this size. */
#define STEP_BYTES ((size_t)65536)

struct spool {
    struct file file; /* owned */
    struct file_window window;
    const char *dir;       /* borrowed */
    uint64_t max_bytes;    /* to write, less what was punched */
    uint64_t stored_bytes; /* written and not punched */
    struct error failure;  /* the first one; else its kind is ERROR_NONE */
};

static int spool_failed(const struct spool *spool, int errnum, const char *what,
                        struct error *err)
{
    return error_set(err, ERROR_SYSTEM, errnum, "%s scratch space in %s", what,
                     spool->dir);
}

/* For filesystems without O_TMPFILE, such as NFS. */
static int open_named(struct spool *spool)
{
    static atomic_uint count;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/.clonewire-scratch-%d-%u",
                     spool->dir, (int)getpid(), atomic_fetch_add(&count, 1));
    int r;

    if (n < 0 || (size_t)n >= sizeof(path))
        return -ENAMETOOLONG;
    r = file_open(&spool->file, path, O_RDWR | O_CREAT | O_EXCL, 0600,
                  CW_IO_MODE_BUFFERED);
    if (r == 0)
        unlink(path);
    return r;
}

static int spool_open_file(struct spool *spool, uint64_t keep_free_bytes,
                           struct error *err)
{
    struct statvfs fs;
    uint64_t free_bytes;
    int r = file_open(&spool->file, spool->dir, O_RDWR | O_TMPFILE, 0600,
                      CW_IO_MODE_BUFFERED);

    if (r == -EOPNOTSUPP || r == -EISDIR)
        r = open_named(spool);
    if (r < 0)
        return spool_failed(spool, -r, "open", err);
    if (fstatvfs(spool->file.fd, &fs) < 0)
        return spool_failed(spool, errno, "measure", err);
    free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (free_bytes > keep_free_bytes)
        spool->max_bytes = free_bytes - keep_free_bytes;
    return 0;
}

int spool_open(struct spool **spool, const char *dir, uint64_t keep_free_bytes,
               struct error *err)
{
    struct spool *s = calloc(1, sizeof(*s));

    *spool = NULL;
    if (!s)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open scratch space");
    s->file = (struct file)FILE_CLOSED;
    s->dir = dir;
    if (spool_open_file(s, keep_free_bytes, err) < 0) {
        spool_close(s);
        return -1;
    }
    *spool = s;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    file_close(&spool->file);
    free(spool);
}

static int spool_is_full(const struct spool *spool, struct error *err)
{
    char max[32];

    return error_set(err, ERROR_FORMAT, 0,
                     "the scratch space in %s is too small: it has %s "
                     "(%" PRIu64 " bytes) for the image",
                     spool->dir,
                     format_bytes(max, sizeof(max), spool->max_bytes),
                     spool->max_bytes);
}

static int write_step(struct spool *spool, const uint8_t *buf, size_t len,
                      uint64_t offset, struct error *err)
{
    size_t done = 0;

    if (len + spool->stored_bytes > spool->max_bytes)
        return spool_is_full(spool, err);
    while (done < len) {
        ssize_t n = pwrite(spool->file.fd, buf + done, len - done,
                           (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
            return spool_is_full(spool, err);
        if (n < 0)
            return spool_failed(spool, errno, "write", err);
        done += (size_t)n;
    }
    spool->stored_bytes += len;
    return 0;
}

static int write_steps(struct spool *spool, const uint8_t *buf, size_t len,
                       uint64_t offset, struct error *err)
{
    uint64_t begin = offset, end = offset + len;
    int r;

    while (offset < end) {
        size_t step = STEP_BYTES - (size_t)(offset % STEP_BYTES);

        if (step > end - offset)
            step = (size_t)(end - offset);
        if (!iszero(buf, step) && write_step(spool, buf, step, offset, err) < 0)
            return -1;
        buf += step;
        offset += step;
    }
    r = file_window_written(&spool->window, &spool->file, begin, len);
    return r < 0 ? spool_failed(spool, -r, "write", err) : 0;
}

void spool_write(struct spool *spool, const void *buf, size_t len,
                 uint64_t offset)
{
    struct error err;

    if (len > 0 && spool->failure.kind == ERROR_NONE &&
        write_steps(spool, buf, len, offset, &err) < 0)
        spool->failure = err;
}

int spool_check(const struct spool *spool, struct error *err)
{
    if (spool->failure.kind == ERROR_NONE)
        return 0;
    *err = spool->failure;
    return -1;
}

void spool_punch(struct spool *spool, uint64_t offset, uint64_t length)
{
    struct stat st;

    if (length == 0 ||
        fallocate(spool->file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)offset, (off_t)length) < 0)
        return;
    if (fstat(spool->file.fd, &st) == 0)
        spool->stored_bytes = (uint64_t)st.st_blocks * 512;
}

int spool_share(struct spool *spool, uint64_t size_bytes, struct file *file,
                struct error *err)
{
    int fd;

    if (spool_check(spool, err) < 0)
        return -1;
    if (ftruncate(spool->file.fd, (off_t)size_bytes) < 0 ||
        (fd = fcntl(spool->file.fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return spool_failed(spool, errno, "share", err);
    *file = spool->file;
    file->fd = fd;
    file->size_bytes = size_bytes;
    file->allocated_bytes = spool->stored_bytes;
    return 0;
}
