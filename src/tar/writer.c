#include "tar/writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/file.h"
#include "io/limits.h"
#include "io/partial_tree.h"
#include "io/source_guard.h"
#include "tar/name_locale.h"
#include "tar/posix_acl.h"
#include "tar/tree_walk.h"

#define PIECE_BYTES ((size_t)256 << 10)
#define USER_XATTR  "user."
/* A server that wants only the disk, as CDI's does, takes the first entry whose
 * name contains this one. */
#define FIRST_NAME CW_VOLUME_DISK_NAME
/* A smaller file is not a disk of a machine or of a loop device, for
 * which a guard looks at each device.  An index shows by itself whether its
 * files change. */
#define INDEX_GUARD_MIN_BYTES (INT64_C(64) << 10)
/* Of an entry: the extended header, its records and the header. */
#define HEADER_BYTES 1536U

/* Not user data: the filesystem's own, and what a target has left. */
static const char *const skipped[] = { "lost+found", PARTIAL_TREE_NAME, NULL };

struct tar_writer {
    const struct tar_writer_options *options;
    struct tar_writer_report *report;
    struct archive *archive;                  /* owned */
    struct archive_entry_linkresolver *links; /* owned */
    struct tree_walk *walk;                   /* owned */
    struct name_locale names;
    uint8_t *piece; /* owned; PIECE_BYTES */
    uint8_t *zeros; /* owned; PIECE_BYTES */
    uint64_t window_bytes;
    struct error failure; /* the error of put */
};

/* ---- libarchive's callbacks and errors ---- */

static la_ssize_t put(struct archive *archive, void *opaque, const void *data,
                      size_t len)
{
    struct tar_writer *p = opaque;

    if (p->options->put(p->options->opaque, data, len, &p->failure) == 0)
        return (la_ssize_t)len;
    archive_set_error(archive, EIO, "%s", "output");
    return -1;
}

static int pack_failed(struct tar_writer *p, const char *path,
                       struct error *err)
{
    const char *why = archive_error_string(p->archive);

    if (p->failure.kind != ERROR_NONE) {
        *err = p->failure;
        return -1;
    }
    return error_set(err, ERROR_SYSTEM, 0, "pack %s: %s", path,
                     why ? why : "no memory");
}

static int entry_failed(struct error *err, const char *what,
                        const struct tree_walk_entry *entry)
{
    return error_set(err, ERROR_SOURCE_IO, errno, "%s %s", what, entry->path);
}

/* ---- headers ---- */

static int add_link(struct archive_entry *to,
                    const struct tree_walk_entry *entry, struct error *err)
{
    char target[4096];
    ssize_t n;

    if (!S_ISLNK(entry->stat.st_mode))
        return 0;
    n = readlinkat(entry->dir_fd, entry->name, target, sizeof(target));
    if (n < 0 || n == (ssize_t)sizeof(target))
        return entry_failed(err, "read the link", entry);
    target[n] = '\0';
    archive_entry_copy_symlink(to, target);
    return 0;
}

static int add_attribute(struct archive_entry *to, int fd, const char *name,
                         const struct tree_walk_entry *entry, struct error *err)
{
    ssize_t n = fgetxattr(fd, name, NULL, 0);
    AUTO_FREE void *value = n < 0 ? NULL : malloc((size_t)n + 1);

    if (n >= 0 && value)
        n = fgetxattr(fd, name, value, (size_t)n + 1);
    if (n < 0 || !value)
        return entry_failed(err, "read an attribute of", entry);
    for (int kind = 0; kind < POSIX_ACL_KINDS; kind++)
        if (strcmp(name, posix_acl_names[kind]) == 0) {
            errno = -posix_acl_add(to, (enum posix_acl_kind)kind, value,
                                   (size_t)n);
            return errno == 0
                       ? 0
                       : entry_failed(err, "understand the ACL of", entry);
        }
    archive_entry_xattr_add_entry(to, name, value, (size_t)n);
    return 0;
}

/* User attributes and ACLs, but not those that the machine sets. */
static bool is_carried(const char *name)
{
    return strncmp(name, USER_XATTR, sizeof(USER_XATTR) - 1) == 0 ||
           strcmp(name, posix_acl_names[POSIX_ACL_ACCESS]) == 0 ||
           strcmp(name, posix_acl_names[POSIX_ACL_DEFAULT]) == 0;
}

static int add_attributes(struct archive_entry *to, int fd,
                          const struct tree_walk_entry *entry,
                          struct error *err)
{
    ssize_t len = flistxattr(fd, NULL, 0);
    AUTO_FREE char *names = len <= 0 ? NULL : malloc((size_t)len);

    if (len <= 0)
        return 0; /* none, or not supported */
    if (names)
        len = flistxattr(fd, names, (size_t)len);
    if (!names || len < 0)
        return entry_failed(err, "list the attributes of", entry);
    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1)
        if (is_carried(names + i) &&
            add_attribute(to, fd, names + i, entry, err) < 0)
            return -1;
    return 0;
}

/* The data at or after *hole, which moves to its end.  False: there is none.
 * A filesystem that does not report holes has none. */
static bool next_extent(int fd, off_t size, off_t *data, off_t *hole)
{
    *data = *hole < size ? lseek(fd, *hole, SEEK_DATA) : -1;
    if (*data < 0 || *data >= size)
        return false;
    *hole = lseek(fd, *data, SEEK_HOLE);
    if (*hole < 0 || *hole > size)
        *hole = size;
    return true;
}

static void add_holes(struct archive_entry *to, int fd, off_t size)
{
    off_t data, hole = 0;

    if (lseek(fd, 0, SEEK_HOLE) == size)
        return;
    while (next_extent(fd, size, &data, &hole))
        archive_entry_sparse_add_entry(to, data, hole - data);
    if (archive_entry_sparse_count(to) == 0)
        archive_entry_sparse_add_entry(to, 0, 0); /* nothing but a hole */
}

/* Sets the header fields, without those that are only valid on this machine. */
static void set_header(const struct tar_writer *p, struct archive_entry *to,
                       const struct tree_walk_entry *entry)
{
    const struct stat *st = &entry->stat;

    archive_entry_clear(to);
    archive_entry_copy_pathname(to, entry->path);
    archive_entry_set_mode(to, st->st_mode);
    archive_entry_set_mtime(to, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    archive_entry_set_size(to, S_ISREG(st->st_mode) ? st->st_size : 0);
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
        archive_entry_set_rdevmajor(to, major(st->st_rdev));
        archive_entry_set_rdevminor(to, minor(st->st_rdev));
    }
    if (!p->options->is_index) {
        archive_entry_set_uid(to, st->st_uid);
        archive_entry_set_gid(to, st->st_gid);
    }
    archive_entry_set_nlink(to, 1);
    if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
        archive_entry_set_dev(to, st->st_dev);
        archive_entry_set_ino64(to, (int64_t)st->st_ino);
        archive_entry_set_nlink(to, (unsigned)st->st_nlink);
    }
}

/* ---- content ---- */

static int put_data(struct tar_writer *p, const void *data, size_t len,
                    const char *path, struct error *err)
{
    la_ssize_t n = archive_write_data(p->archive, data, len);

    return n == (la_ssize_t)len ? 0 : pack_failed(p, path, err);
}

static int put_hole(struct tar_writer *p, uint64_t len, const char *path,
                    struct error *err)
{
    while (len > 0) {
        size_t n = len < PIECE_BYTES ? (size_t)len : PIECE_BYTES;

        if (put_data(p, p->zeros, n, path, err) < 0)
            return -1;
        len -= n;
    }
    return 0;
}

/* The offset of the next data, or the end: bytes before it need not be read.
 * A truncated file has no hole there: the read finds its end. */
static uint64_t next_data(int fd, uint64_t at, uint64_t size)
{
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    struct stat st;

    if (data < 0)
        return errno == ENXIO && fstat(fd, &st) == 0 &&
                       (uint64_t)st.st_size >= size
                   ? size
                   : at;
    return (uint64_t)data < size ? (uint64_t)data : size;
}

static int put_content(struct tar_writer *p, const struct file *file,
                       bool skips_holes, const struct tree_walk_entry *entry,
                       struct error *err)
{
    struct file_window window = { 0 };
    uint64_t size = (uint64_t)entry->stat.st_size, at = 0;

    while (at < size) {
        uint64_t data = skips_holes ? next_data(file->fd, at, size) : at;
        uint64_t left;
        ssize_t n;

        if (data > at && put_hole(p, data - at, entry->path, err) < 0)
            return -1;
        at = data;
        left = size - at;
        if (left == 0)
            break;
        n = pread(file->fd, p->piece,
                  left < PIECE_BYTES ? (size_t)left : PIECE_BYTES, (off_t)at);
        if (n < 0)
            return entry_failed(err, "read", entry);
        if (n == 0)
            return error_set(err, ERROR_CHANGED, 0,
                             "%s became shorter while it was read",
                             entry->path);
        if (put_data(p, p->piece, (size_t)n, entry->path, err) < 0)
            return -1;
        file_window_read(&window, file, at, (uint64_t)n);
        at += (uint64_t)n;
    }
    return 0;
}

/* ---- entries ---- */

static int put_header(struct tar_writer *p, struct archive_entry *e,
                      struct error *err)
{
    int r = archive_write_header(p->archive, e);

    return r == ARCHIVE_OK || r == ARCHIVE_WARN
               ? 0
               : pack_failed(p, archive_entry_pathname(e), err);
}

/* Opens a file or a directory. */
static int open_entry(const struct tree_walk_entry *entry, struct error *err)
{
    int fd = openat(entry->dir_fd, entry->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? entry_failed(err, "open", entry) : fd;
}

/* The header describes the file that the walk found. */
static bool is_as_walked(const struct stat *opened, const struct stat *walked)
{
    return opened->st_dev == walked->st_dev &&
           opened->st_ino == walked->st_ino &&
           opened->st_size == walked->st_size &&
           opened->st_mtim.tv_sec == walked->st_mtim.tv_sec &&
           opened->st_mtim.tv_nsec == walked->st_mtim.tv_nsec;
}

/* *guard: NULL unless it is a regular file, for an index a large one. */
static int guard_entry(const struct tar_writer *p, int fd,
                       const struct tree_walk_entry *entry,
                       struct source_guard **guard, struct error *err)
{
    char path[32];

    *guard = NULL;
    if (!S_ISREG(entry->stat.st_mode) ||
        (p->options->is_index && entry->stat.st_size < INDEX_GUARD_MIN_BYTES))
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (source_guard_open(guard, path, entry->path, p->options->allow_in_use,
                          err) < 0)
        return -1;
    if (!*guard || p->options->allow_in_use ||
        is_as_walked(&(*guard)->stat, &entry->stat))
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s was written to while the volume was read",
                     entry->path);
}

/* A file without its content.  libarchive writes the map of holes with the
 * first byte of the content. */
static int put_hole_file(struct tar_writer *p, struct archive_entry *e,
                         const struct tree_walk_entry *entry, struct error *err)
{
    bool is_empty = entry->stat.st_size == 0;

    if (!is_empty)
        archive_entry_sparse_add_entry(e, 0, 0);
    p->report->content_bytes += (uint64_t)entry->stat.st_size;
    if (put_header(p, e, err) < 0)
        return -1;
    return is_empty ? 0 : put_hole(p, 1, entry->path, err);
}

static int put_opened(struct tar_writer *p, struct archive_entry *e,
                      const struct tree_walk_entry *entry, int fd,
                      struct error *err)
{
    struct archive_entry *spare = NULL;
    struct file file = FILE_CLOSED;
    bool skips_holes;

    if (add_attributes(e, fd, entry, err) < 0)
        return -1;
    archive_entry_linkify(p->links, &e, &spare);
    if (!S_ISREG(entry->stat.st_mode) || archive_entry_hardlink(e))
        return put_header(p, e, err);
    if (p->options->is_index)
        return put_hole_file(p, e, entry, err);
    skips_holes = hole_check_may_skip(
        p->options->holes, fd, (uint64_t)entry->stat.st_size, entry->path);
    if (p->options->sparse && skips_holes)
        add_holes(e, fd, entry->stat.st_size);
    if (put_header(p, e, err) < 0)
        return -1;
    p->report->content_bytes += (uint64_t)entry->stat.st_size;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    file.fd = fd; /* borrowed */
    file.mode = CW_IO_MODE_BUFFERED;
    file.window_bytes = p->window_bytes;
    return put_content(p, &file, skips_holes, entry, err);
}

/* All packed content of a file must be of the same moment. */
static int put_guarded(struct tar_writer *p, struct archive_entry *e,
                       const struct tree_walk_entry *entry, struct error *err)
{
    struct source_guard *guard = NULL;
    AUTO_FD int fd = open_entry(entry, err);
    int r = fd < 0 ? -1 : guard_entry(p, fd, entry, &guard, err);

    if (r == 0)
        r = put_opened(p, e, entry, fd, err);
    if (r == 0 && guard)
        r = source_guard_check(guard, err);
    source_guard_close(guard);
    return r;
}

static int pack_entry(struct tar_writer *p, struct archive_entry *e,
                      const struct tree_walk_entry *entry, struct error *err)
{
    mode_t mode = entry->stat.st_mode;

    if (S_ISSOCK(mode)) {
        log_warn("%s is a socket: left out", entry->path);
        return 0;
    }
    set_header(p, e, entry);
    p->report->files++;
    if (S_ISREG(mode) || S_ISDIR(mode))
        return put_guarded(p, e, entry, err);
    if (add_link(e, entry, err) < 0)
        return -1;
    return put_header(p, e, err);
}

/* ---- the whole ---- */

static int open_archive(struct tar_writer *p, struct error *err)
{
    p->window_bytes = file_window_bytes(limits_memory_bytes());
    p->piece = malloc(PIECE_BYTES);
    p->zeros = calloc(1, PIECE_BYTES);
    p->archive = archive_write_new();
    p->links = archive_entry_linkresolver_new();
    if (!p->piece || !p->zeros || !p->archive || !p->links)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "pack %s",
                         p->options->directory);
    if (archive_write_set_format_pax(p->archive) != ARCHIVE_OK ||
        archive_write_set_format_option(p->archive, "pax", "xattrheader",
                                        "SCHILY") != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(p->archive, 0) != ARCHIVE_OK ||
        archive_write_open(p->archive, p, NULL, put, NULL) != ARCHIVE_OK)
        return pack_failed(p, p->options->directory, err);
    archive_entry_linkresolver_set_strategy(p->links,
                                            archive_format(p->archive));
    return tree_walk_open(p->options->directory, skipped, FIRST_NAME, &p->walk,
                          err);
}

static int put_all(struct tar_writer *p, struct error *err)
{
    struct archive_entry *e = archive_entry_new();
    struct tree_walk_entry entry;
    int r = e ? 0 : error_set(err, ERROR_SYSTEM, ENOMEM, "pack a tree");

    while (r == 0 && (r = tree_walk_next(p->walk, &entry, err)) > 0)
        r = pack_entry(p, e, &entry, err);
    archive_entry_free(e);
    if (r == 0 && archive_write_close(p->archive) != ARCHIVE_OK)
        return pack_failed(p, p->options->directory, err);
    return r;
}

int tar_writer_tree(const struct tar_writer_options *options,
                    struct tar_writer_report *report, struct error *err)
{
    struct tar_writer p = { .options = options, .report = report };
    int r;

    *report = (struct tar_writer_report){ 0 };
    name_locale_begin(&p.names, NAME_LOCALE_WRITE);
    r = open_archive(&p, err);
    if (r == 0)
        r = put_all(&p, err);
    tree_walk_close(p.walk);
    archive_entry_linkresolver_free(p.links);
    archive_write_free(p.archive);
    free(p.piece);
    free(p.zeros);
    name_locale_end(&p.names);
    return r;
}

/* What of a file is not a hole.  An unreadable file fails when it is packed. */
static uint64_t mapped_bytes(const struct tree_walk_entry *entry)
{
    AUTO_FD int fd = openat(entry->dir_fd, entry->name,
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    off_t data, hole = 0;
    uint64_t bytes = 0;

    while (fd >= 0 && next_extent(fd, entry->stat.st_size, &data, &hole))
        bytes += (uint64_t)(hole - data);
    return bytes;
}

/* The bytes of an entry in the stream.  A file with several names is stored
 * once, so each of them counts a share. */
static uint64_t stream_bytes(const struct tree_walk_entry *entry, bool sparse)
{
    const struct stat *st = &entry->stat;

    if (!S_ISREG(st->st_mode))
        return HEADER_BYTES;
    return HEADER_BYTES +
           (sparse ? mapped_bytes(entry) : (uint64_t)st->st_size) /
               st->st_nlink;
}

int tar_writer_estimate(const char *directory, bool sparse, uint64_t *bytes,
                        struct error *err)
{
    struct tree_walk_entry entry;
    struct tree_walk *walk;
    int r;

    *bytes = 0;
    if (tree_walk_open(directory, skipped, FIRST_NAME, &walk, err) < 0)
        return -1;
    while ((r = tree_walk_next(walk, &entry, err)) > 0)
        *bytes += stream_bytes(&entry, sparse);
    tree_walk_close(walk);
    return r;
}

int tar_writer_is_only(const char *directory, const char *name,
                       struct error *err)
{
    struct tree_walk_entry entry;
    struct tree_walk *walk;
    bool is_there = false;
    unsigned others = 0;
    int r = tree_walk_open(directory, skipped, FIRST_NAME, &walk, err);

    if (r < 0)
        return -1;
    while ((r = tree_walk_next(walk, &entry, err)) > 0 && others == 0) {
        if (strcmp(entry.path, name) == 0 && S_ISREG(entry.stat.st_mode))
            is_there = true;
        else
            others++;
    }
    tree_walk_close(walk);
    return r < 0 ? -1 : is_there && others == 0;
}
