#include "tar/extract_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iszero.h"
#include "base/log.h"
#include "io/file.h"

#define PERMISSIONS 07777U
/* Smaller files become durable together, at the end. */
#define SYNC_MIN_BYTES (UINT64_C(1) << 20)

/* Errors that come of what the stream has, on a disk that works. */
static bool is_streams_fault(int errnum)
{
    static const int errnums[] = { ENAMETOOLONG, ENOTDIR,  EISDIR, EEXIST,
                                   ENOTEMPTY,    ENOENT,   ELOOP,  EINVAL,
                                   EILSEQ,       E2BIG,    ERANGE, EMLINK,
                                   EXDEV,        EOVERFLOW };

    for (size_t i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++)
        if (errnum == errnums[i])
            return true;
    return false;
}

int unpack_failed(struct error *err, int errnum, const char *what,
                  const char *path)
{
    bool is_full = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;

    if (is_streams_fault(errnum))
        return error_set(err, ERROR_REFUSED, errnum,
                         "the stream cannot be unpacked here: %s %.300s", what,
                         path);
    return error_set(err, is_full ? ERROR_NO_SPACE : ERROR_TARGET_IO, errnum,
                     "%s %.300s", what, path);
}

/* Fails early if the data of this file cannot fit. */
static int check_room(const struct unpack_place *place, int fd,
                      const struct tree_entry *entry, struct error *err)
{
    uint64_t need = place->preallocate ? entry->size_bytes : entry->data_bytes;
    struct statvfs vfs;
    uint64_t have;

    if (need == 0 || fstatvfs(fd, &vfs) < 0)
        return 0; /* writing will report it */
    have = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    have -= have < place->kept_bytes ? have : place->kept_bytes;
    if (need <= have)
        return 0;
    error_set(err, ERROR_NO_SPACE, 0,
              "%.200s needs %llu bytes and the volume has %llu left: %llu too "
              "few, %llu of them kept for the filesystem",
              entry->path, (unsigned long long)need, (unsigned long long)have,
              (unsigned long long)(need - have),
              (unsigned long long)place->kept_bytes);
    err->space.need_bytes = need;
    err->space.have_bytes = have;
    err->space.shortfall_bytes = need - have;
    return -1;
}

static int write_all(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n <= 0)
            continue;
        data += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* Reserves the space of the file; tries only once per filesystem. */
static int reserve(struct unpack_place *place, int fd,
                   const struct tree_entry *entry, struct error *err)
{
    if (!place->preallocate || entry->size_bytes == 0)
        return 0;
    while (fallocate(fd, 0, 0, (off_t)entry->size_bytes) < 0) {
        if (errno == EOPNOTSUPP || errno == ENOSYS) {
            log_warn("no preallocation: this filesystem cannot reserve space");
            place->preallocate = false;
            return 0;
        }
        if (errno != EINTR)
            return unpack_failed(err, errno, "reserve space for", entry->path);
    }
    return 0;
}

/* ---- content ---- */

/* The content of one entry, in pieces.  A piece can be put back. */
struct content {
    struct tree_reader *reader;
    const void *data;
    uint64_t offset;
    size_t len;
    bool is_put_back;
    bool is_over;
};

/* As tree_reader_data(). */
static int next_piece(struct content *c, struct error *err)
{
    int r = 1;

    if (c->is_over)
        return 0;
    if (!c->is_put_back)
        r = tree_reader_data(c->reader, &c->data, &c->len, &c->offset, err);
    c->is_put_back = false;
    c->is_over = r == 0;
    return r;
}

static int write_content(struct unpack_place *place, const struct file *file,
                         struct content *content,
                         const struct tree_entry *entry, struct error *err)
{
    struct file_window window = { 0 };
    int r, e;

    /* XFS reserves space after the end of a file, and holes would keep it. */
    if (entry->data_bytes < entry->size_bytes &&
        ftruncate(file->fd, (off_t)entry->size_bytes) < 0)
        return unpack_failed(err, errno, "set the size of", entry->path);
    while ((r = next_piece(content, err)) > 0) {
        if (place->preallocate && iszero(content->data, content->len))
            continue; /* reserved: already reads as zero */
        e = write_all(file->fd, content->data, content->len, content->offset);
        if (e == 0)
            e = file_window_written(&window, file, content->offset,
                                    content->len);
        if (e < 0)
            return unpack_failed(err, -e, "write", entry->path);
        if (place->written_bytes)
            atomic_fetch_add(place->written_bytes, content->len);
    }
    if (r == 0 && ftruncate(file->fd, (off_t)entry->size_bytes) < 0)
        return unpack_failed(err, errno, "set the size of", entry->path);
    return r;
}

/* ---- attributes ---- */

int unpack_mode(int fd, mode_t mode, const struct timespec times[2],
                const char *path, struct error *err)
{
    if (fchmod(fd, mode & PERMISSIONS) < 0) {
        if (errno != EPERM && errno != EOPNOTSUPP)
            return unpack_failed(err, errno, "set the mode of", path);
        log_warn_limited("",
                         "%s: this filesystem does not let its mode be set: "
                         "%o is lost",
                         path, (unsigned)(mode & PERMISSIONS));
    }
    if (futimens(fd, times) < 0) {
        if (errno != EPERM && errno != EOPNOTSUPP)
            return unpack_failed(err, errno, "set the times of", path);
        log_warn_limited(
            "", "%s: this filesystem does not let its times be set", path);
    }
    return 0;
}

int unpack_attributes(int fd, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err)
{
    const char *name;
    const void *value;
    size_t len;

    while (tree_reader_xattr(reader, &name, &value, &len)) {
        if (fsetxattr(fd, name, value, len, 0) == 0)
            continue;
        if (errno != EOPNOTSUPP && errno != EPERM)
            return unpack_failed(err, errno, "set an attribute of",
                                 entry->path);
        log_warn_limited("",
                         "%s: this filesystem does not take the attribute %s: "
                         "it is lost",
                         entry->path, name);
    }
    return 0;
}

int unpack_take_acls(struct tree_reader *reader, const char *path,
                     struct acls *acls, struct error *err)
{
    int r = tree_reader_acls(reader, acls);

    if (r == -ESRCH) {
        log_warn_limited("",
                         "%s: its ACL names users without their numbers: it is "
                         "lost",
                         path);
        return 0;
    }
    if (r == -EINVAL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: too long an ACL", path);
    return r < 0 ? unpack_failed(err, -r, "read the ACL of", path) : 0;
}

int unpack_set_acl(int fd, const struct acls *acls, enum posix_acl_kind kind,
                   const char *path, struct error *err)
{
    if (!acls->values[kind] ||
        fsetxattr(fd, posix_acl_names[kind], acls->values[kind],
                  acls->lens[kind], 0) == 0)
        return 0;
    if (errno == EINVAL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: no valid ACL", path);
    if (errno != EOPNOTSUPP && errno != EPERM)
        return unpack_failed(err, errno, "set the ACL of", path);
    log_warn_limited("", "%s: this filesystem takes no ACL: its own is lost",
                     path);
    return 0;
}

static int set_access(int fd, struct tree_reader *reader, const char *path,
                      struct error *err)
{
    struct acls acls;
    int r = unpack_take_acls(reader, path, &acls, err);

    if (r == 0)
        r = unpack_set_acl(fd, &acls, POSIX_ACL_ACCESS, path, err);
    posix_acl_fini(&acls);
    return r;
}

int unpack_finish_file(int fd, struct tree_reader *reader,
                       const struct tree_entry *entry, struct error *err)
{
    const struct timespec times[2] = { entry->accessed, entry->modified };

    if (unpack_attributes(fd, reader, entry, err) < 0)
        return -1;
    if (unpack_mode(fd, entry->mode, times, entry->path, err) < 0 ||
        set_access(fd, reader, entry->path, err) < 0)
        return -1;
    if (entry->size_bytes >= SYNC_MIN_BYTES && fsync(fd) < 0)
        return unpack_failed(err, errno, "flush", entry->path);
    return 0;
}

/* ---- files ---- */

/* old: NULL, or the file that begins as this one, up to its equal_bytes. */
static int write_file(struct unpack_place *place, struct content *content,
                      const struct unchanged_file *old,
                      const struct tree_entry *entry, struct error *err)
{
    struct file file = FILE_CLOSED;
    int r;

    file.fd = openat(place->at.fd, place->at.name,
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     0600);
    if (file.fd < 0)
        return unpack_failed(err, errno, "make", entry->path);
    file.mode = CW_IO_MODE_BUFFERED;
    file.window_bytes = place->window_bytes;
    r = check_room(place, file.fd, entry, err);
    if (r == 0)
        r = reserve(place, file.fd, entry, err);
    if (r == 0 && old && (r = unchanged_file_copy(old, file.fd)) < 0)
        r = unpack_failed(err, -r, "write", entry->path);
    if (r == 0)
        r = write_content(place, &file, content, entry, err);
    if (r == 0)
        r = unpack_finish_file(file.fd, content->reader, entry, err);
    if (close(file.fd) < 0 && r == 0)
        return unpack_failed(err, errno, "close", entry->path);
    return r;
}

/* Compares the content with a file of the volume.  1: equal; 0: it differs
 * from the next piece on; -1: the stream has failed. */
static int compare_content(struct content *content, struct unchanged_file *old,
                           const struct tree_entry *entry, struct error *err)
{
    int r;

    while ((r = next_piece(content, err)) > 0)
        if (!unchanged_file_matches(old, content->data, content->len,
                                    content->offset)) {
            content->is_put_back = true;
            return 0;
        }
    return r < 0 ? -1 : unchanged_file_matches(old, NULL, 0, entry->size_bytes);
}

int tar_extract_entry(struct unpack_place *place, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err)
{
    const struct unchanged_file_wish wish = {
        .root_fd = place->root_fd,
        .linked = &place->linked,
        .is_allocated = place->preallocate,
        .window_bytes = place->window_bytes,
    };
    struct content content = { .reader = reader };
    struct unchanged_file old;
    int r = 0;

    if (!unchanged_file_open(&old, &wish, reader, entry)) {
        r = write_file(place, &content, NULL, entry, err);
    } else {
        r = compare_content(&content, &old, entry, err);
        if (r == 1 && !unchanged_file_link(&old, &place->at))
            r = 0;
        if (r == 0)
            r = write_file(place, &content, &old, entry, err);
    }
    unchanged_file_close(&old);
    return r < 0 ? -1 : 0;
}

/* ---- others ---- */

int unpack_hard_link(struct unpack_place *place, const struct tree_entry *entry,
                     struct error *err)
{
    struct safe_path target;
    int r = safe_path_open(&target, place->top_fd, entry->link, false);

    if (r == 0 &&
        linkat(target.fd, target.name, place->at.fd, place->at.name, 0) < 0)
        r = -errno;
    safe_path_close(&target);
    if (r == 0)
        return 0;
    if (r == 1 || r == -EXDEV || r == -ELOOP || r == -ENOENT || r == -ENOTDIR)
        return error_set(err, ERROR_REFUSED, 0,
                         "%.200s is a hard link to %.200s, which is not in the "
                         "stream",
                         entry->path, entry->link);
    return unpack_failed(err, -r, "link", entry->path);
}

int unpack_special(struct unpack_place *place, const struct tree_entry *entry,
                   struct error *err)
{
    const struct timespec times[2] = { entry->accessed, entry->modified };
    int r;

    if (entry->is_hard_link)
        return unpack_hard_link(place, entry, err);
    if (S_ISLNK(entry->mode)) {
        r = symlinkat(entry->link, place->at.fd, place->at.name);
    } else if (S_ISFIFO(entry->mode)) {
        r = mkfifoat(place->at.fd, place->at.name, 0600);
    } else {
        log_warn_limited("", "%s is a device: left out", entry->path);
        return 0;
    }
    if (r == 0 && S_ISFIFO(entry->mode))
        r = fchmodat(place->at.fd, place->at.name, entry->mode & PERMISSIONS,
                     0);
    if (r == 0)
        r = utimensat(place->at.fd, place->at.name, times, AT_SYMLINK_NOFOLLOW);
    return r < 0 ? unpack_failed(err, errno, "make", entry->path) : 0;
}
