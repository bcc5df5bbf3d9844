#include "tar/stage.h"

#include <errno.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/partial_tree.h"
#include "tar/extract_private.h"
#include "tar/safe_path.h"
#include "tar/unchanged_file.h"

/* In the partial tree: the index that it was made from, once it is made. */
#define INDEX_NAME ".clonewire-index"
/* A file while it is copied. */
#define COPY_NAME  ".clonewire-copy"
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct tar_stage {
    struct tar_extract u;
    struct tar_extract_report report;
    struct tar_stage_options options;
    bool has_tree;        /* made, or taken up */
    bool is_all_own;      /* nothing in it was there before */
    uint64_t found_bytes; /* allocated by what was there before */
    pthread_mutex_t lock; /* of copies */
    atomic_uchar own[];   /* for each file: it need not be looked at */
};

int tar_stage_open(const struct tar_stage_options *options,
                   struct tar_stage **stage, struct error *err)
{
    size_t count = options->index->count;
    struct tar_stage *s = calloc(1, sizeof(*s) + count);

    *stage = NULL;
    if (!s)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack %s",
                         options->directory);
    s->options = *options;
    s->u.directory = options->directory;
    s->u.report = &s->report;
    s->u.root_fd = s->u.tree_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    if (tar_extract_open(&s->u, err) < 0) {
        tar_stage_close(s, true);
        return -1;
    }
    *stage = s;
    return 0;
}

/* ---- the entries of the index ---- */

/* Calls take() for each entry.  gives_modes: it gives the modes of the entries,
 * and so the reader says which bits it leaves out. */
static int each_entry(struct tar_stage *s, bool gives_modes,
                      int (*take)(struct tar_stage *s,
                                  const struct tree_entry *entry,
                                  struct error *err),
                      struct error *err)
{
    const struct tree_index *index = s->options.index;
    struct tree_index_stream stream;
    struct tree_entry entry;
    int r;

    if (tree_index_stream_open(&stream, index->bytes, index->len, err) < 0)
        return -1;
    r = tree_reader_open(&stream.source, &s->u.reader, err);
    if (r == 0 && (s->options.keep_setid || !gives_modes))
        tree_reader_keep_setid(s->u.reader);
    while (r == 0 && (r = tree_reader_next(s->u.reader, &entry, err)) > 0)
        r = take(s, &entry, err);
    tree_reader_close(TAKE_PTR(s->u.reader));
    tree_index_stream_close(&stream);
    if (r < 0)
        tar_extract_name_inodes(&s->u, err);
    return r;
}

/* Opens the place of the entry: its directory is there, as a tree is listed
 * from its top. */
static int stage_enter(struct tar_stage *s, const struct tree_entry *entry,
                       struct error *err)
{
    int r = safe_path_open(&s->u.place.at, s->u.tree_fd, entry->path, false);

    if (r == 1)
        return error_set(err, ERROR_REFUSED, 0,
                         "the index names the directory itself");
    return r < 0 ? tar_extract_refuse_path(r, entry->path, err) : 0;
}

/* ---- making the tree ---- */

static int stage_failed(struct error *err, const char *path)
{
    if (errno == EEXIST)
        return error_set(err, ERROR_REFUSED, 0, "the index names %.300s twice",
                         path);
    return unpack_failed(err, errno, "make", path);
}

static int make_file(struct tar_stage *s, const struct tree_entry *entry,
                     struct error *err)
{
    const struct safe_path *at = &s->u.place.at;
    AUTO_FD int fd = openat(
        at->fd, at->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        0600);

    if (fd < 0)
        return stage_failed(err, entry->path);
    return ftruncate(fd, (off_t)entry->size_bytes) < 0
               ? unpack_failed(err, errno, "set the size of", entry->path)
               : 0;
}

/* Links the file that the directory has already.  False: there is none. */
static bool link_old(struct tar_stage *s, const struct tree_entry *entry)
{
    const struct unchanged_file_wish wish = {
        .root_fd = s->u.root_fd,
        .linked = &s->u.place.linked,
        .basis_bytes = TAR_STAGE_BASIS_BYTES,
    };
    struct unchanged_file old;
    struct stat st;
    bool is_linked = entry->size_bytes > 0 &&
                     unchanged_file_open(&old, &wish, s->u.reader, entry) &&
                     unchanged_file_link(&old, &s->u.place.at);

    if (is_linked && fstat(old.file.fd, &st) == 0)
        s->found_bytes += (uint64_t)st.st_blocks * 512;
    if (entry->size_bytes > 0)
        unchanged_file_close(&old);
    s->is_all_own &= !is_linked;
    return is_linked;
}

static int make_anew(struct tar_stage *s, const struct tree_entry *entry,
                     struct error *err)
{
    const struct safe_path *at = &s->u.place.at;

    if (S_ISDIR(entry->mode))
        return mkdirat(at->fd, at->name, 0700) < 0
                   ? stage_failed(err, entry->path)
                   : 0;
    return S_ISREG(entry->mode) ? make_file(s, entry, err)
                                : unpack_special(&s->u.place, entry, err);
}

static int make_or_link(struct tar_stage *s, const struct tree_entry *entry,
                        struct error *err)
{
    return S_ISREG(entry->mode) && link_old(s, entry)
               ? 0
               : make_anew(s, entry, err);
}

static int stage_entry(struct tar_stage *s, const struct tree_entry *entry,
                       int (*make)(struct tar_stage *s,
                                   const struct tree_entry *entry,
                                   struct error *err),
                       struct error *err)
{
    int r;

    if (entry->is_hard_link)
        return 0; /* when all files are there */
    if (stage_enter(s, entry, err) < 0)
        return -1;
    r = make(s, entry, err);
    safe_path_close(&s->u.place.at);
    return r;
}

static int stage_new(struct tar_stage *s, const struct tree_entry *entry,
                     struct error *err)
{
    return stage_entry(s, entry, make_anew, err);
}

static int stage_old(struct tar_stage *s, const struct tree_entry *entry,
                     struct error *err)
{
    return stage_entry(s, entry, make_or_link, err);
}

/* From now on a killed process leaves a tree that can be taken up. */
static int keep_index(const struct tar_stage *s, struct error *err)
{
    const struct tree_index *index = s->options.index;
    AUTO_FD int fd = openat(
        s->u.tree_fd, INDEX_NAME,
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return stage_failed(err, INDEX_NAME);
    for (size_t at = 0; at < index->len;) {
        ssize_t n = write(fd, index->bytes + at, index->len - at);

        if (n < 0 && errno != EINTR)
            return unpack_failed(err, errno, "write", INDEX_NAME);
        at += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) < 0 ? unpack_failed(err, errno, "flush", INDEX_NAME) : 0;
}

int tar_stage_make(struct tar_stage *stage, bool uses_old, struct error *err)
{
    if (stage->has_tree)
        return 0;
    stage->is_all_own = true;
    if (tar_extract_make_tree(&stage->u, err) < 0 ||
        each_entry(stage, false, uses_old ? stage_old : stage_new, err) < 0 ||
        tar_extract_check_names(&stage->u, err) < 0)
        return -1;
    if (faccessat(stage->u.tree_fd, COPY_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return error_set(err, ERROR_REFUSED, 0,
                         "the index names " COPY_NAME ", which is reserved");
    if (syncfs(stage->u.root_fd) < 0)
        return unpack_failed(err, errno, "flush", stage->u.directory);
    if (keep_index(stage, err) < 0)
        return -1;
    stage->has_tree = true;
    return 0;
}

/* ---- going on ---- */

/* Is it the index in the tree? */
static bool is_same_index(const struct tar_stage *s)
{
    const struct tree_index *index = s->options.index;
    AUTO_FD int fd = openat(s->u.tree_fd, INDEX_NAME, READ_FLAGS);
    uint8_t piece[16384];
    struct stat st;
    size_t at = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size != index->len)
        return false;
    while (at < index->len) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (size_t)n > index->len - at ||
            memcmp(piece, index->bytes + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* Counts what the file has; false: it is not as it was made. */
static bool count_found(struct tar_stage *s, size_t number)
{
    const struct tree_file *f = &s->options.index->files[number];
    struct safe_path at;
    struct stat st;
    bool is_good = safe_path_open(&at, s->u.tree_fd,
                                  tree_index_path(s->options.index, number),
                                  false) == 0;

    if (!is_good)
        return false;
    is_good = fstatat(at.fd, at.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
              S_ISREG(st.st_mode) && (uint64_t)st.st_size == f->size_bytes;
    safe_path_close(&at);
    if (is_good)
        s->found_bytes += (uint64_t)st.st_blocks * 512;
    return is_good;
}

int tar_stage_take_up(struct tar_stage *stage, struct error *err)
{
    int fd;

    if (stage->has_tree)
        return 1;
    fd = partial_tree_open(stage->u.root_fd);
    if (fd < 0)
        return fd == -EBUSY ? error_set(err, ERROR_REFUSED, 0,
                                        "%s is in use: another process unpacks "
                                        "files in it",
                                        stage->u.directory)
                            : 0;
    stage->u.tree_fd = stage->u.place.top_fd = fd;
    stage->has_tree = is_same_index(stage);
    for (size_t i = 0; stage->has_tree && i < stage->options.index->count; i++)
        stage->has_tree = count_found(stage, i);
    if (stage->has_tree) {
        unlinkat(fd, COPY_NAME, 0);
        return 1;
    }
    close(fd);
    stage->u.tree_fd = -1;
    stage->found_bytes = 0;
    return 0;
}

/* ---- files that were there before ---- */

/* Replaces a file at that place by a copy of its own. */
static int copy_file(const struct tar_stage *s, const struct safe_path *at,
                     int from, uint64_t size_bytes)
{
    const struct unchanged_file old = { .file.fd = from,
                                        .equal_bytes = size_bytes };
    AUTO_FD int fd = openat(s->u.tree_fd, COPY_NAME,
                            O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                            0600);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (ioctl(fd, FICLONE, from) < 0) {
        r = unchanged_file_copy(&old, fd);
        if (r == 0 && ftruncate(fd, (off_t)size_bytes) < 0)
            r = -errno;
    }
    if (r == 0 && renameat(s->u.tree_fd, COPY_NAME, at->fd, at->name) < 0)
        r = -errno;
    return r;
}

static int own_file(const struct tar_stage *s, size_t number)
{
    const struct tree_index *index = s->options.index;
    struct safe_path at;
    AUTO_FD int fd = -1;
    struct stat st;
    int r = safe_path_open(&at, s->u.tree_fd, tree_index_path(index, number),
                           false);

    if (r != 0)
        return r < 0 ? r : -EISDIR;
    fd = openat(at.fd, at.name, READ_FLAGS);
    /* It may have had its attributes already. */
    if (fd < 0 || fstat(fd, &st) < 0 ||
        (st.st_nlink == 1 && !(st.st_mode & S_IWUSR) && fchmod(fd, 0600) < 0))
        r = -errno;
    else if (st.st_nlink > 1)
        r = copy_file(s, &at, fd, index->files[number].size_bytes);
    safe_path_close(&at);
    return r;
}

int tar_stage_own(struct tar_stage *stage, size_t number)
{
    int r = 0;

    if (stage->is_all_own || atomic_load(&stage->own[number]))
        return 0;
    pthread_mutex_lock(&stage->lock);
    if (!atomic_load(&stage->own[number]))
        r = own_file(stage, number);
    if (r == 0)
        atomic_store(&stage->own[number], 1);
    pthread_mutex_unlock(&stage->lock);
    return r;
}

bool tar_stage_is_hole(const struct tar_stage *stage, size_t number,
                       uint64_t offset, uint64_t length)
{
    struct safe_path at;
    AUTO_FD int fd = -1;
    off_t data;

    if (safe_path_open(&at, stage->u.tree_fd,
                       tree_index_path(stage->options.index, number),
                       false) != 0)
        return false;
    fd = openat(at.fd, at.name, READ_FLAGS);
    safe_path_close(&at);
    if (fd < 0)
        return false;
    data = lseek(fd, (off_t)offset, SEEK_DATA);
    return data < 0 ? errno == ENXIO : (uint64_t)data - offset >= length;
}

/* ---- the end ---- */

/* A file that was there before may have attributes that the new one has not. */
static void clear_attributes(int fd)
{
    char names[4096];
    ssize_t len = flistxattr(fd, names, sizeof(names));

    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1)
        if (tree_reader_is_carried(names + i) ||
            strcmp(names + i, posix_acl_names[POSIX_ACL_ACCESS]) == 0)
            fremovexattr(fd, names + i);
}

static int finish_staged(struct tar_stage *s, const struct tree_entry *entry,
                         struct error *err)
{
    const struct safe_path *at = &s->u.place.at;
    bool is_directory = S_ISDIR(entry->mode);
    AUTO_FD int fd = openat(at->fd, at->name, READ_FLAGS);

    if (fd < 0)
        return unpack_failed(err, errno, "open", entry->path);
    if (!is_directory) {
        clear_attributes(fd);
        return unpack_finish_file(fd, s->u.reader, entry, err);
    }
    return unpack_attributes(fd, s->u.reader, entry, err) < 0
               ? -1
               : tar_extract_keep_directory(&s->u, entry, err);
}

/* A link that an earlier, killed run has made may be to a file since copied. */
static int make_link(struct tar_stage *s, const struct tree_entry *entry,
                     struct error *err)
{
    const struct safe_path *at = &s->u.place.at;

    if (unlinkat(at->fd, at->name, 0) < 0 && errno != ENOENT)
        return unpack_failed(err, errno, "link", entry->path);
    return unpack_hard_link(&s->u.place, entry, err);
}

static int finish_entry(struct tar_stage *s, const struct tree_entry *entry,
                        struct error *err)
{
    bool has_content = S_ISREG(entry->mode) || S_ISDIR(entry->mode);
    int r = 0;

    if (!entry->is_hard_link && !has_content)
        return 0; /* made with all that it has */
    if (stage_enter(s, entry, err) < 0)
        return -1;
    r = entry->is_hard_link ? make_link(s, entry, err)
                            : finish_staged(s, entry, err);
    safe_path_close(&s->u.place.at);
    return r;
}

int tar_stage_finish(struct tar_stage *stage, struct error *err)
{
    unlinkat(stage->u.tree_fd, COPY_NAME, 0);
    if (each_entry(stage, true, finish_entry, err) < 0 ||
        tar_extract_publish(&stage->u, INDEX_NAME, err) < 0)
        return -1;
    stage->has_tree = false;
    return 0;
}

/* ---- the rest ---- */

int tar_stage_fd(const struct tar_stage *stage)
{
    return stage->u.tree_fd;
}

uint64_t tar_stage_found_bytes(const struct tar_stage *stage)
{
    return stage->found_bytes;
}

int tar_stage_flush(const struct tar_stage *stage)
{
    return syncfs(stage->u.root_fd) < 0 ? -errno : 0;
}

void tar_stage_close(struct tar_stage *stage, bool keeps)
{
    if (!stage)
        return;
    tar_extract_close(&stage->u, keeps && stage->has_tree);
    pthread_mutex_destroy(&stage->lock);
    free(stage);
}
