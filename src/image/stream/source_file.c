#include "image/stream/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define DECODED_WINDOW_BYTES (UINT64_C(4) << 20)

/* In pods, the usual cause is a device that an ordinary user cannot read. */
static int refuse_access(const char *path, int errnum, struct error *err)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
        return error_set(err, ERROR_SOURCE_IO, errnum,
                         "open %s as user %u, group %u", path,
                         (unsigned)geteuid(), (unsigned)getegid());
    return error_set(
        err, ERROR_SOURCE_IO, errnum,
        "open block device %s (owner %u:%u, mode %03o) as user %u, group %u; "
        "in a pod set fsGroup, and device_ownership_from_security_context "
        "in the container runtime",
        path, (unsigned)st.st_uid, (unsigned)st.st_gid,
        (unsigned)(st.st_mode & 0777), (unsigned)geteuid(),
        (unsigned)getegid());
}

static int explain_open(const char *path, int errnum, struct error *err)
{
    struct stat st;

    switch (errnum) {
    case EACCES:
    case EPERM: return refuse_access(path, errnum, err);
    case EBUSY:
        return error_set(err, ERROR_SOURCE_IO, errnum,
                         "open %s: another program holds it exclusively", path);
    case EISDIR:
    case ENOTBLK:
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return error_set(err, ERROR_SOURCE_IO, EISDIR,
                             "open %s: name the disk inside it", path);
        if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
            return error_set(err, ERROR_SOURCE_IO, 0,
                             "open %s: a pipe is read from standard input: "
                             "name - as the image, and give it as that",
                             path);
        return error_set(err, ERROR_SOURCE_IO, 0,
                         "open %s: neither a regular file nor a block device",
                         path);
    case EOPNOTSUPP:
        return error_set(err, ERROR_SOURCE_IO, errnum,
                         "open %s: the wished I/O mode does not work there",
                         path);
    default:
        return error_set_named(err, ERROR_SOURCE_IO, errnum, "open %s", path);
    }
}

int source_file_open(struct file *file, const char *path, const char *name,
                     enum cw_io_mode wish, struct error *err)
{
    int r = file_open(file, path, O_RDONLY, 0, wish);

    return r < 0 ? explain_open(name, -r, err) : 0;
}

int source_file_dup(const struct file *file, struct file *copy,
                    struct error *err)
{
    int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "open a file again");
    *copy = *file;
    copy->fd = fd;
    copy->direct_fd = -1;
    return 0;
}

void source_file_read_cached(struct file *file)
{
    if (file->direct_fd >= 0)
        close(file->direct_fd);
    file->direct_fd = -1;
    /* Drops pages after they are read, in windows.  These are small, since
     * each lane has its own, and decoding is slower than any disk. */
    file->mode = CW_IO_MODE_BUFFERED;
    if (file->window_bytes > DECODED_WINDOW_BYTES)
        file->window_bytes = DECODED_WINDOW_BYTES;
}

ssize_t source_file_read(const struct file *file, void *buf, size_t len,
                         uint64_t offset)
{
    ssize_t n;

    do
        n = pread(file->fd, buf, len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int source_file_read_all(const struct file *file, void *buf, size_t len,
                         uint64_t offset, struct error *err)
{
    uint8_t *at = buf;

    while (len > 0) {
        ssize_t n = source_file_read(file, at, len, offset);

        if (n < 0)
            return error_set(err, ERROR_SOURCE_IO, (int)-n,
                             "read %zu bytes at %" PRIu64, len, offset);
        if (n == 0)
            return error_set(err, ERROR_CHANGED, 0,
                             "the file ended at %" PRIu64
                             " while it was read: it has become shorter",
                             offset);
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}
