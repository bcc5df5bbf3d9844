#include "sink/older_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "sink/local_sink.h"

/* file_stamp() of the older disk that a partial was made from. */
#define BASE_ATTRIBUTE "user.clonewire-base"
/* Between two looks at the stop flag, and write-backs. */
#define PIECE_BYTES (UINT64_C(32) << 20)

/* ---- the mark ---- */

bool older_copy_is_base(const struct file *partial, const struct file *older)
{
    char stamp[FILE_STAMP_BYTES], mark[FILE_STAMP_BYTES] = "";

    return fgetxattr(partial->fd, BASE_ATTRIBUTE, mark, sizeof(mark) - 1) > 0 &&
           file_stamp(older->fd, stamp) && strcmp(stamp, mark) == 0;
}

void older_copy_unmark(const struct file *partial)
{
    if (fremovexattr(partial->fd, BASE_ATTRIBUTE) < 0 && errno != ENODATA &&
        errno != ENOTSUP)
        log_debug("the mark of a partial file stays: %s",
                  strerrordesc_np(errno));
}

/* Without a mark, an interrupted delta starts again from the older disk. */
static void mark_base(const struct file *partial, const struct file *older)
{
    char stamp[FILE_STAMP_BYTES];

    if (!file_stamp(older->fd, stamp) ||
        fsetxattr(partial->fd, BASE_ATTRIBUTE, stamp, strlen(stamp), 0) < 0)
        log_debug("no mark on a partial file: %s", strerrordesc_np(errno));
}

/* ---- in place ---- */

int older_copy_check_in_place(const struct sink_options *options,
                              const struct file *older, struct error *err)
{
    struct stat st;

    if (fstat(older->fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         options->path);
    if (st.st_nlink > 1)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s has another hard link, whose content would "
                         "change with it (--delta=copy would not change it)",
                         options->path);
    log_warn("%s is changed in place%s: if this clone fails, the older copy is "
             "lost",
             options->path,
             options->delta == CW_DELTA_INPLACE
                 ? ""
                 : ", as its filesystem has no reflinks (--delta=copy keeps "
                   "the older copy until the new one is whole)");
    return 0;
}

/* ---- the content ---- */

static int fail_copy(int errnum, struct error *err)
{
    return error_set(
        err, sink_is_no_space(-errnum) ? ERROR_NO_SPACE : ERROR_TARGET_IO,
        errnum, "copy the older disk");
}

static int empty(const struct file *partial, struct error *err)
{
    older_copy_unmark(partial);
    return ftruncate(partial->fd, 0) < 0 ? fail_copy(errno, err) : 0;
}

int older_copy_reflink(const struct file *partial, const struct file *older,
                       struct error *err)
{
    if (empty(partial, err) < 0)
        return -1;
    if (ioctl(partial->fd, FICLONE, older->fd) == 0) {
        mark_base(partial, older);
        return 1;
    }
    log_debug("FICLONE: %s", strerrordesc_np(errno));
    switch (errno) {
    case EIO:
    case ENOSPC:
    case EDQUOT: return fail_copy(errno, err);
    default: return 0;
    }
}

/* Copies [begin, end) with its holes filled; writes it back by pieces, so that
 * it does not fill the page cache. */
static int copy_range(const struct file *partial, const struct file *older,
                      off_t begin, off_t end, struct sink *sink,
                      struct error *err)
{
    while (begin < end) {
        uint64_t left = (uint64_t)(end - begin);
        off_t from = begin, to = begin;
        ssize_t n;

        if (atomic_load(&sink->stop))
            return error_set(err, ERROR_CANCELLED, 0, "stopped by request");
        n = copy_file_range(older->fd, &from, partial->fd, &to,
                            left < PIECE_BYTES ? left : PIECE_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_copy(n < 0 ? errno : EIO, err);
        if (fdatasync(partial->fd) < 0)
            return fail_copy(errno, err);
        posix_fadvise(partial->fd, begin, n, POSIX_FADV_DONTNEED);
        posix_fadvise(older->fd, begin, n, POSIX_FADV_DONTNEED);
        begin += n;
        atomic_fetch_add(&sink->copied_bytes, (uint64_t)n);
    }
    return 0;
}

int older_copy_data(const struct file *partial, const struct file *older,
                    struct sink *sink, struct error *err)
{
    off_t size = (off_t)older->size_bytes, hole = 0;

    if (empty(partial, err) < 0)
        return -1;
    while (hole < size) {
        off_t data = lseek(older->fd, hole, SEEK_DATA);

        if (data < 0 && errno == ENXIO)
            break;
        hole = data < 0 ? size : lseek(older->fd, data, SEEK_HOLE);
        if (data < 0)
            data = 0; /* holes are invisible here */
        if (hole < 0)
            hole = size;
        if (copy_range(partial, older, data, hole, sink, err) < 0)
            return -1;
    }
    if (ftruncate(partial->fd, size) < 0)
        return fail_copy(errno, err);
    mark_base(partial, older);
    return 0;
}
