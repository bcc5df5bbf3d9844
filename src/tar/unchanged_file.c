#include "tar/unchanged_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/iszero.h"
#include "io/hole_check.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define PERMISSIONS 07777U

/* ---- metadata ---- */

static bool is_same_time(const struct timespec *wanted, const struct stat *st)
{
    return wanted->tv_nsec != UTIME_OMIT &&
           wanted->tv_sec == st->st_mtim.tv_sec &&
           wanted->tv_nsec == st->st_mtim.tv_nsec;
}

static bool is_linked(const struct unchanged_file_linked *linked, ino_t inode)
{
    for (unsigned i = 0; i < linked->count; i++)
        if (linked->inodes[i] == inode)
            return true;
    return linked->count == UNCHANGED_FILE_LINKED; /* perhaps */
}

static bool is_candidate(const struct unchanged_file_wish *wish,
                         const struct tree_entry *entry, const struct stat *st)
{
    bool is_same = ((st->st_mode ^ entry->mode) & PERMISSIONS &
                    ~(mode_t)S_IRWXG) == 0 &&
                   is_same_time(&entry->modified, st);

    return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
           (st->st_nlink == 1 || !is_linked(wish->linked, st->st_ino)) &&
           (uint64_t)st->st_size == entry->size_bytes &&
           (is_same || entry->size_bytes <= wish->basis_bytes) &&
           (!wish->is_allocated ||
            (uint64_t)st->st_blocks * 512 >= entry->size_bytes);
}

/* Counts the attributes that can come from a stream; -1: too many. */
static int count_attributes(int fd)
{
    char names[4096];
    ssize_t len = flistxattr(fd, names, sizeof(names));
    int count = 0;

    if (len < 0)
        return errno == EOPNOTSUPP ? 0 : -1;
    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1)
        if (tree_reader_is_carried(names + i) ||
            strcmp(names + i, posix_acl_names[POSIX_ACL_ACCESS]) == 0)
            count++;
    return count;
}

static bool is_attribute(int fd, const char *name, const void *value,
                         size_t len)
{
    char have[4096];
    ssize_t n = fgetxattr(fd, name, have, sizeof(have));

    return n >= 0 && (size_t)n == len && memcmp(have, value, len) == 0;
}

/* An access control list is equal if the kernel returns the same bytes. */
static int count_equal_acl(int fd, struct tree_reader *reader)
{
    struct acls acls;
    int count = -1;

    if (tree_reader_acls(reader, &acls) == 0) {
        const void *value = acls.values[POSIX_ACL_ACCESS];

        if (!value)
            count = 0;
        else if (is_attribute(fd, posix_acl_names[POSIX_ACL_ACCESS], value,
                              acls.lens[POSIX_ACL_ACCESS]))
            count = 1;
    }
    posix_acl_fini(&acls);
    return count;
}

/* The permissions of the group are a part of a list, if there is one. */
static bool has_attributes(int fd, struct tree_reader *reader,
                           bool is_same_group)
{
    int count = count_equal_acl(fd, reader);
    const char *name;
    const void *value;
    size_t len;

    if (count < 0 || (count == 0 && !is_same_group))
        return false;
    while (tree_reader_xattr(reader, &name, &value, &len)) {
        if (!is_attribute(fd, name, value, len))
            return false;
        count++;
    }
    return count == count_attributes(fd);
}

bool unchanged_file_open(struct unchanged_file *old,
                         const struct unchanged_file_wish *wish,
                         struct tree_reader *reader,
                         const struct tree_entry *entry)
{
    char reason[HOLE_CHECK_REASON_BYTES];
    struct stat st;
    bool is_good;

    *old = (struct unchanged_file){ .file = FILE_CLOSED, .at.fd = -1 };
    if (safe_path_open(&old->at, wish->root_fd, entry->path, false) != 0 ||
        fstatat(old->at.fd, old->at.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !is_candidate(wish, entry, &st))
        return false;
    old->file.fd = openat(old->at.fd, old->at.name,
                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (old->file.fd < 0)
        return false;
    old->file.mode = CW_IO_MODE_BUFFERED;
    old->file.window_bytes = wish->window_bytes;
    old->linked = wish->linked;
    old->size_bytes = entry->size_bytes;
    is_good = fstat(old->file.fd, &st) == 0 && is_candidate(wish, entry, &st) &&
              hole_check(old->file.fd, old->size_bytes, reason) &&
              (wish->basis_bytes > 0 ||
               has_attributes(old->file.fd, reader,
                              ((st.st_mode ^ entry->mode) & S_IRWXG) == 0));
    tree_reader_xattr_restart(reader);
    return is_good;
}

/* ---- content ---- */

/* Reads len bytes at offset, of a file that has them.  False: it has not. */
static bool read_piece(int fd, uint8_t *buf, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/*
 * Finds the next data at or after *from and before end: *from and *len, at most
 * PIECE_BYTES.  False: only a hole is left.
 */
static bool next_range(int fd, uint64_t *from, uint64_t end, size_t *len)
{
    off_t data = *from < end ? lseek(fd, (off_t)*from, SEEK_DATA) : -1;

    if (*from < end && data < 0 && errno != ENXIO)
        data = (off_t)*from; /* holes are not reported */
    if (data < 0 || (uint64_t)data >= end)
        return false;
    *from = (uint64_t)data;
    *len = end - *from < PIECE_BYTES ? (size_t)(end - *from) : PIECE_BYTES;
    return true;
}

static bool reads_as_zero(int fd, uint64_t from, uint64_t end)
{
    uint8_t buf[PIECE_BYTES];
    size_t len;

    for (; next_range(fd, &from, end, &len); from += len)
        if (!read_piece(fd, buf, len, from) || !iszero(buf, len))
            return false;
    return true;
}

bool unchanged_file_matches(struct unchanged_file *old, const void *data,
                            size_t len, uint64_t offset)
{
    const uint8_t *wanted = data;
    uint8_t buf[PIECE_BYTES];

    if (!reads_as_zero(old->file.fd, old->equal_bytes, offset))
        return false;
    old->equal_bytes = offset;
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        if (!read_piece(old->file.fd, buf, n, offset + done) ||
            memcmp(buf, wanted + done, n) != 0)
            return false;
        file_window_read(&old->window, &old->file, offset + done, n);
        old->equal_bytes = offset + done + n;
    }
    return true;
}

bool unchanged_file_link(struct unchanged_file *old, const struct safe_path *at)
{
    struct unchanged_file_linked *linked = old->linked;
    struct stat held, named;

    if (linkat(old->at.fd, old->at.name, at->fd, at->name, 0) < 0)
        return false;
    if (fstat(old->file.fd, &held) == 0 &&
        fstatat(at->fd, at->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
        if (named.st_nlink > 2 && linked->count < UNCHANGED_FILE_LINKED)
            linked->inodes[linked->count++] = named.st_ino;
        return true;
    }
    unlinkat(at->fd, at->name, 0);
    return false;
}

int unchanged_file_copy(const struct unchanged_file *old, int fd)
{
    uint8_t buf[PIECE_BYTES];
    uint64_t at = 0;
    size_t len;

    for (; next_range(old->file.fd, &at, old->equal_bytes, &len); at += len) {
        if (!read_piece(old->file.fd, buf, len, at))
            return -EIO;
        for (size_t done = 0; done < len && !iszero(buf, len);) {
            ssize_t n = pwrite(fd, buf + done, len - done, (off_t)(at + done));

            if (n < 0 && errno != EINTR)
                return -errno;
            done += n > 0 ? (size_t)n : 0;
        }
    }
    return 0;
}

void unchanged_file_close(struct unchanged_file *old)
{
    safe_path_close(&old->at);
    if (old->file.fd >= 0)
        close(old->file.fd);
    old->file.fd = -1;
}
