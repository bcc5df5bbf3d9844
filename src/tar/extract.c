#include "tar/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/directory.h"
#include "io/file.h"
#include "io/limits.h"
#include "io/partial_tree.h"
#include "tar/extract_private.h"
#include "tar/safe_path.h"

#define LOST_AND_FOUND "lost+found"

/* ---- the unfinished tree ---- */

int tar_extract_open(struct tar_extract *u, struct error *err)
{
    u->root_fd = u->place.root_fd = open(u->directory, DIRECTORY);
    return u->root_fd < 0 ? unpack_failed(err, errno, "open", u->directory) : 0;
}

int tar_extract_make_tree(struct tar_extract *u, struct error *err)
{
    int r = partial_tree_make(u->root_fd);

    if (r == -EBUSY)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is in use: another upload unpacks files in it",
                         u->directory);
    if (r < 0)
        return unpack_failed(err, -r, "make " PARTIAL_TREE_NAME " in",
                             u->directory);
    u->tree_fd = u->place.top_fd = r;
    return 0;
}

/* ---- directories ---- */

/* Makes room for one more, at powers of two. */
static int grow_late(struct tar_extract *u, uint64_t more_bytes,
                     struct error *err)
{
    size_t count = u->late_count;
    struct late **grown = u->late;

    u->late_bytes += more_bytes + 2 * sizeof(struct late *);
    if (u->late_bytes > TAR_EXTRACT_MAX_BYTES)
        return error_set(err, ERROR_REFUSED, 0,
                         "the stream has too many directories: %zu take more "
                         "than %llu MiB of memory; unpack it in parts",
                         count,
                         (unsigned long long)TAR_EXTRACT_MAX_BYTES >> 20);
    if ((count & (count + 1)) == 0)
        grown = reallocarray(grown, 2 * (count + 1), sizeof(struct late *));
    if (!grown)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack directories");
    u->late = grown;
    return 0;
}

/* Copies the path as a stream may write it ("./a//b/") to a/b. */
static void copy_path(char *to, const char *path)
{
    for (size_t len; *path; path += len) {
        path += strspn(path, "/");
        len = strcspn(path, "/");
        if (len == 0 || (len == 1 && path[0] == '.'))
            continue;
        memcpy(to, path, len);
        to += len;
        *to++ = '/';
    }
    to[-1] = '\0';
}

int tar_extract_keep_directory(struct tar_extract *u,
                               const struct tree_entry *entry,
                               struct error *err)
{
    size_t len = strlen(entry->path) + 2;
    struct late *late;
    int r;

    if (grow_late(u, sizeof(*late) + len, err) < 0)
        return -1;
    late = calloc(1, sizeof(*late) + len);
    if (!late)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack %s", entry->path);
    late->number = u->late_count;
    late->mode = entry->mode;
    late->modified = entry->modified;
    copy_path(late->path, entry->path);
    u->late[u->late_count++] = late;
    r = unpack_take_acls(u->reader, entry->path, &late->acls, err);
    for (int kind = 0; kind < POSIX_ACL_KINDS; kind++)
        u->late_bytes += late->acls.lens[kind];
    return r;
}

static int make_directory(struct tar_extract *u, const struct tree_entry *entry,
                          struct error *err)
{
    const struct safe_path *at = &u->place.at;
    AUTO_FD int fd = -1;

    if (mkdirat(at->fd, at->name, 0700) < 0 && errno != EEXIST)
        return unpack_failed(err, errno, "make", entry->path);
    fd = openat(at->fd, at->name, DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return unpack_failed(err, errno, "open", entry->path);
    if (unpack_attributes(fd, u->reader, entry, err) < 0)
        return -1;
    return tar_extract_keep_directory(u, entry, err);
}

static int set_last(int fd, const struct late *late, struct error *err)
{
    const struct timespec times[2] = { { 0, UTIME_OMIT }, late->modified };

    if (unpack_mode(fd, late->mode, times, late->path, err) < 0)
        return -1;
    for (int kind = 0; kind < POSIX_ACL_KINDS; kind++)
        if (unpack_set_acl(fd, &late->acls, (enum posix_acl_kind)kind,
                           late->path, err) < 0)
            return -1;
    return 0;
}

/* A directory that a later entry has replaced is left alone. */
static int finish_directory(struct tar_extract *u, const struct late *late,
                            struct error *err)
{
    struct safe_path at;
    AUTO_FD int fd = -1;
    int r = safe_path_open(&at, u->root_fd, late->path, false);

    if (r == 0)
        fd = openat(at.fd, at.name, DIRECTORY | O_NOFOLLOW);
    if (r == 0 && fd < 0)
        r = -errno;
    safe_path_close(&at);
    if (r == -ENOTDIR || r == -ENOENT || r == -ELOOP)
        return 0;
    return r < 0 ? unpack_failed(err, -r, "open", late->path)
                 : set_last(fd, late, err);
}

/* What is in a directory before the directory, which may exclude us; of two
 * entries of one path, the last first. */
static int compare_late(const void *a, const void *b)
{
    const struct late *one = *(struct late *const *)a;
    const struct late *two = *(struct late *const *)b;
    int r = strcmp(two->path, one->path);

    return r != 0 ? r : one->number < two->number ? 1 : -1;
}

static int finish_directories(struct tar_extract *u, struct error *err)
{
    if (u->late_count > 0)
        qsort(u->late, u->late_count, sizeof(struct late *), compare_late);
    for (size_t i = 0; i < u->late_count; i++) {
        if (i > 0 && strcmp(u->late[i]->path, u->late[i - 1]->path) == 0)
            continue;
        if (finish_directory(u, u->late[i], err) < 0)
            return -1;
    }
    return 0;
}

static void drop_late(struct tar_extract *u)
{
    for (size_t i = 0; i < u->late_count; i++) {
        posix_acl_fini(&u->late[i]->acls);
        free(u->late[i]);
    }
    free(u->late);
}

/* ---- entries ---- */

int tar_extract_refuse_path(int r, const char *path, struct error *err)
{
    if (r == -EXDEV)
        return error_set(err, ERROR_REFUSED, 0,
                         "the stream names %.300s, which leads out of the "
                         "volume",
                         path);
    return unpack_failed(err, -r, "make room for", path);
}

/* An earlier file, link or empty directory of the same name is removed, as tar
 * does; a directory stays for another entry of it. */
static int clear_name(const struct safe_path *at,
                      const struct tree_entry *entry, struct error *err)
{
    if (unlinkat(at->fd, at->name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno == EISDIR &&
        (S_ISDIR(entry->mode) || unlinkat(at->fd, at->name, AT_REMOVEDIR) == 0))
        return 0;
    return unpack_failed(err, errno, "replace", entry->path);
}

static int make_entry(struct tar_extract *u, const struct tree_entry *entry,
                      struct error *err)
{
    if (clear_name(&u->place.at, entry, err) < 0)
        return -1;
    if (S_ISDIR(entry->mode))
        return make_directory(u, entry, err);
    if (S_ISREG(entry->mode) && !entry->is_hard_link)
        return tar_extract_entry(&u->place, u->reader, entry, err);
    return unpack_special(&u->place, entry, err);
}

static void tell_absolute(struct tar_extract *u, const char *path)
{
    if (path[0] == '/' && !u->is_absolute_told)
        log_info("%s: unpacked below %s, as all absolute names", path,
                 u->directory);
    u->is_absolute_told |= path[0] == '/';
}

/* The filesystem's own at the top: fsck fills it, and it is left alone. */
static bool is_lost_and_found(const char *path)
{
    static const char name[] = LOST_AND_FOUND;
    size_t len = sizeof(name) - 1;

    while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
        path++;
    return strncmp(path, name, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

static int take_entry(struct tar_extract *u, const struct tree_entry *entry,
                      struct error *err)
{
    int r;

    if (is_lost_and_found(entry->path)) {
        log_info("%s: left out, the filesystem has its own", entry->path);
        return 0;
    }
    tell_absolute(u, entry->path);
    r = safe_path_open(&u->place.at, u->tree_fd, entry->path, true);
    if (r < 0)
        return tar_extract_refuse_path(r, entry->path, err);
    if (r == 1)
        return 0; /* the volume's own directory stays as it is */
    r = make_entry(u, entry, err);
    safe_path_close(&u->place.at);
    if (r < 0)
        return -1;
    u->report->files++;
    if (S_ISREG(entry->mode) && !entry->is_hard_link)
        u->report->content_bytes += entry->size_bytes;
    return 0;
}

static int take_entries(struct tar_extract *u, struct error *err)
{
    struct tree_entry entry;
    int r;

    while ((r = tree_reader_next(u->reader, &entry, err)) > 0)
        if (take_entry(u, &entry, err) < 0)
            return -1;
    return r < 0 ? -1 : tree_reader_finish(u->reader, err);
}

/* ---- move into place ---- */

static int flush(const struct tar_extract *u, struct error *err)
{
    if (syncfs(u->root_fd) < 0)
        return unpack_failed(err, errno, "flush", u->directory);
    return 0;
}

static int move_name(const struct tar_extract *u, const char *name,
                     struct error *err)
{
    int r;

    if (renameat(u->tree_fd, name, u->root_fd, name) == 0) {
        /* Two links to one unchanged file both stay. */
        unlinkat(u->tree_fd, name, 0);
        return 0;
    }
    r = directory_remove(u->root_fd, name);
    if (r < 0)
        return unpack_failed(err, -r, "replace", name);
    if (renameat(u->tree_fd, name, u->root_fd, name) < 0)
        return unpack_failed(err, errno, "move into place", name);
    return 0;
}

/* Also by way of a link. */
int tar_extract_check_names(const struct tar_extract *u, struct error *err)
{
    static const char *const reserved[] = { PARTIAL_TREE_NAME, LOST_AND_FOUND };

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (faccessat(u->tree_fd, reserved[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return error_set(err, ERROR_REFUSED, 0,
                             "the stream names %s, which stays as it is on "
                             "this volume",
                             reserved[i]);
    return 0;
}

static int move_all(const struct tar_extract *u, struct error *err)
{
    AUTO(auto_closedir) DIR *dir = directory_open(u->tree_fd, ".");
    const char *name;

    if (!dir)
        return unpack_failed(err, errno, "list", PARTIAL_TREE_NAME);
    while ((name = directory_next(dir)))
        if (move_name(u, name, err) < 0)
            return -1;
    return 0;
}

/* A name must not appear before its content is durable. */
int tar_extract_publish(struct tar_extract *u, const char *mark,
                        struct error *err)
{
    if (tar_extract_check_names(u, err) < 0 || flush(u, err) < 0)
        return -1;
    if (mark && unlinkat(u->tree_fd, mark, 0) < 0)
        return unpack_failed(err, errno, "remove", mark);
    if (move_all(u, err) < 0)
        return -1;
    if (unlinkat(u->root_fd, PARTIAL_TREE_NAME, AT_REMOVEDIR) < 0)
        return unpack_failed(err, errno, "remove", PARTIAL_TREE_NAME);
    if (finish_directories(u, err) < 0)
        return -1;
    return flush(u, err);
}

/* ENOSPC can also mean that no inode is free, however much space there is. */
void tar_extract_name_inodes(const struct tar_extract *u, struct error *err)
{
    struct statvfs vfs;

    if (err->errnum != ENOSPC || u->root_fd < 0 ||
        fstatvfs(u->root_fd, &vfs) < 0 || vfs.f_files == 0 || vfs.f_favail > 0)
        return;
    error_wrap(err,
               "no inodes left on the volume of %s, all %llu are in use "
               "(df -i shows them; make the volume with more inodes)",
               u->directory, (unsigned long long)vfs.f_files);
}

void tar_extract_close(struct tar_extract *u, bool keeps)
{
    tree_reader_close(u->reader);
    drop_late(u);
    if (u->tree_fd >= 0 && !keeps)
        directory_remove(u->root_fd, PARTIAL_TREE_NAME);
    if (u->tree_fd >= 0)
        close(u->tree_fd);
    if (u->root_fd >= 0)
        close(u->root_fd);
}

int tar_extract_tree(const struct tar_extract_options *options,
                     struct tar_extract_report *report, struct error *err)
{
    struct tar_extract u = {
        .root_fd = -1,
        .tree_fd = -1,
        .directory = options->directory,
        .report = report,
        .place = { .preallocate = options->preallocate,
                   .kept_bytes = options->kept_bytes,
                   .window_bytes = file_window_bytes(limits_memory_bytes()),
                   .written_bytes = options->written_bytes },
    };
    int r;

    *report = (struct tar_extract_report){ 0 };
    r = tar_extract_open(&u, err);
    if (r == 0)
        r = tar_extract_make_tree(&u, err);
    if (r == 0)
        r = tree_reader_open(&options->input, &u.reader, err);
    if (r == 0 && options->keep_setid)
        tree_reader_keep_setid(u.reader);
    if (r == 0)
        r = take_entries(&u, err);
    if (r == 0)
        r = tar_extract_publish(&u, NULL, err);
    if (r < 0)
        tar_extract_name_inodes(&u, err);
    report->is_preallocated = u.place.preallocate;
    tar_extract_close(&u, false);
    return r;
}
