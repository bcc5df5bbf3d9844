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
#define USER_XATTR     "user."

int unpack_failed(struct error *err, int errnum, const char *what,
                  const char *path)
{
    bool is_full = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;

    return error_set(err, is_full ? ERROR_NO_SPACE : ERROR_TARGET_IO, errnum,
                     "%s %s", what, path);
}

/* Fails early if the data of this file cannot fit. */
static int check_room(int fd, const struct tree_entry *entry, bool preallocate,
                      struct error *err)
{
    uint64_t need = preallocate ? entry->size_bytes : entry->data_bytes;
    struct statvfs vfs;
    uint64_t have;

    if (fstatvfs(fd, &vfs) < 0)
        return 0; /* writing will report it */
    have = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    if (need <= have)
        return 0;
    error_set(err, ERROR_NO_SPACE, 0,
              "%s needs %llu bytes and the volume has %llu left: %llu too few",
              entry->path, (unsigned long long)need, (unsigned long long)have,
              (unsigned long long)(need - have));
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

static int write_content(struct unpack_place *place, const struct file *file,
                         struct tree_reader *reader,
                         const struct tree_entry *entry, struct error *err)
{
    struct file_window window = { 0 };
    const void *data;
    uint64_t offset;
    size_t len;
    int r, e;

    /* XFS reserves space after the end of a file, and holes would keep it. */
    if (entry->data_bytes < entry->size_bytes &&
        ftruncate(file->fd, (off_t)entry->size_bytes) < 0)
        return unpack_failed(err, errno, "set the size of", entry->path);
    while ((r = tree_reader_data(reader, &data, &len, &offset, err)) > 0) {
        if (place->preallocate && iszero(data, len))
            continue; /* reserved: already reads as zero */
        e = write_all(file->fd, data, len, offset);
        if (e == 0)
            e = file_window_written(&window, file, offset, len);
        if (e < 0)
            return unpack_failed(err, -e, "write", entry->path);
        if (place->written_bytes)
            atomic_fetch_add(place->written_bytes, len);
    }
    if (r == 0 && ftruncate(file->fd, (off_t)entry->size_bytes) < 0)
        return unpack_failed(err, errno, "set the size of", entry->path);
    return r;
}

int unpack_attributes(int fd, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err)
{
    const char *name;
    const void *value;
    size_t len;

    while (tree_reader_xattr(reader, &name, &value, &len)) {
        if (strncmp(name, USER_XATTR, sizeof(USER_XATTR) - 1) != 0)
            continue; /* set by the machine itself */
        if (fsetxattr(fd, name, value, len, 0) == 0)
            continue;
        if (errno != EOPNOTSUPP)
            return unpack_failed(err, errno, "set an attribute of",
                                 entry->path);
        log_warn("%s: this filesystem has no user attributes: %s is lost",
                 entry->path, name);
    }
    return 0;
}

int unpack_take_acls(struct tree_reader *reader, const char *path,
                     struct acls *acls, struct error *err)
{
    int r = tree_reader_acls(reader, acls);

    if (r == -ESRCH) {
        log_warn("%s: its ACL names users without their numbers: it is lost",
                 path);
        posix_acl_fini(acls);
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
    if (errno != EOPNOTSUPP)
        return unpack_failed(err, errno, "set the ACL of", path);
    log_warn("%s: this filesystem has no ACLs: its own is lost", path);
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

static int finish_file(int fd, struct tree_reader *reader,
                       const struct tree_entry *entry, struct error *err)
{
    const struct timespec times[2] = { entry->accessed, entry->modified };

    if (unpack_attributes(fd, reader, entry, err) < 0)
        return -1;
    if (fchmod(fd, entry->mode & PERMISSIONS) < 0 || futimens(fd, times) < 0)
        return unpack_failed(err, errno, "set mode and times of", entry->path);
    if (set_access(fd, reader, entry->path, err) < 0)
        return -1;
    if (entry->size_bytes >= SYNC_MIN_BYTES && fsync(fd) < 0)
        return unpack_failed(err, errno, "flush", entry->path);
    return 0;
}

int tar_extract_entry(struct unpack_place *place, struct tree_reader *reader,
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
    r = check_room(file.fd, entry, place->preallocate, err);
    if (r == 0)
        r = reserve(place, file.fd, entry, err);
    if (r == 0)
        r = write_content(place, &file, reader, entry, err);
    if (r == 0)
        r = finish_file(file.fd, reader, entry, err);
    if (close(file.fd) < 0 && r == 0)
        return unpack_failed(err, errno, "close", entry->path);
    return r;
}

static int make_hard_link(struct unpack_place *place,
                          const struct tree_entry *entry, struct error *err)
{
    struct safe_path target;
    int r = safe_path_open(&target, place->top_fd, entry->link, false);

    if (r == 0 &&
        linkat(target.fd, target.name, place->at.fd, place->at.name, 0) < 0)
        r = -errno;
    safe_path_close(&target);
    if (r == 0)
        return 0;
    if (r == 1 || r == -EXDEV || r == -ELOOP || r == -ENOENT)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is a hard link to %s, which is not in the stream",
                         entry->path, entry->link);
    return unpack_failed(err, -r, "link", entry->path);
}

int unpack_special(struct unpack_place *place, struct tree_reader *reader,
                   const struct tree_entry *entry, struct error *err)
{
    const struct timespec times[2] = { entry->accessed, entry->modified };
    int r;

    (void)reader;
    if (entry->is_hard_link)
        return make_hard_link(place, entry, err);
    if (S_ISLNK(entry->mode))
        r = symlinkat(entry->link, place->at.fd, place->at.name);
    else if (S_ISFIFO(entry->mode))
        r = mkfifoat(place->at.fd, place->at.name, 0600);
    else
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is a device or a socket: such are not made of "
                         "what a stream says",
                         entry->path);
    if (r == 0 && S_ISFIFO(entry->mode))
        r = fchmodat(place->at.fd, place->at.name, entry->mode & PERMISSIONS,
                     0);
    if (r == 0)
        r = utimensat(place->at.fd, place->at.name, times, AT_SYMLINK_NOFOLLOW);
    return r < 0 ? unpack_failed(err, errno, "make", entry->path) : 0;
}
