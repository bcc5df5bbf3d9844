/* A directory as a target: it takes a directory, by the index of tree_index.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/directory.h"
#include "io/partial_tree.h"
#include "sink/local_sink.h"
#include "tar/stage.h"
#include "tar/tree_files.h"

#define OPEN_FILES 64U
#define ZERO_PIECE ((size_t)64 << 10)

struct sink_tree {
    struct sink sink;         /* first */
    struct tar_stage *stage;  /* owned; NULL: nothing is prepared */
    struct tree_files *files; /* owned, as stage */
    char *content;            /* owned: sink.content_path */
    bool is_committed;
};

static struct sink_tree *tree_of(struct sink *sink)
{
    return (struct sink_tree *)sink;
}

/* ---- room ---- */

int sink_refuse_disk(const struct sink *sink, struct error *err)
{
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is a directory, and the source sends a disk: name a "
                     "file in it (%s/disk.img)",
                     sink->options.path, sink->options.path);
}

/* keeps: what was received stays, for another run. */
static void drop_stage(struct sink_tree *t, bool keeps)
{
    tree_files_close(TAKE_PTR(t->files));
    tar_stage_close(TAKE_PTR(t->stage), keeps);
}

static void note_failed_file(void *opaque, const char *path, uint64_t offset,
                             int r)
{
    const struct sink_tree *t = opaque;

    log_error("%s in %s, at %" PRIu64 ": %s", path, t->sink.options.path,
              offset, strerrordesc_np(-r));
}

static int open_stage(struct sink_tree *t, struct error *err)
{
    const struct tar_stage_options options = {
        .directory = t->sink.options.path,
        .index = t->sink.tree,
        .keep_setid = t->sink.options.keep_setid,
    };

    return t->stage ? 0 : tar_stage_open(&options, &t->stage, err);
}

static int refuse_room(struct sink_tree *t, uint64_t need, uint64_t have,
                       struct error *err)
{
    error_set(err, ERROR_NO_SPACE, 0,
              "the files of the source need %" PRIu64
              " bytes and %s has %" PRIu64 " for them: %" PRIu64 " too few",
              need, t->sink.options.path, have, need - have);
    err->space.need_bytes = need;
    err->space.have_bytes = have;
    err->space.shortfall_bytes = need - have;
    return -1;
}

/* Is there room for what is not there yet? */
static int check_tree_room(struct sink_tree *t, struct error *err)
{
    const struct sink_options *options = &t->sink.options;
    uint64_t need = options->data_bytes, found, have, kept;
    struct volume_space volume;

    found = tar_stage_found_bytes(t->stage);
    need -= need < found ? need : found;
    if (volume_space(options->path, &volume, err) < 0)
        return -1;
    kept = sizing_kept(volume.total_bytes, volume.available_bytes,
                       options->overhead_ppm);
    have = volume.available_bytes -
           (kept < volume.available_bytes ? kept : volume.available_bytes);
    return need <= have ? 0 : refuse_room(t, need, have, err);
}

/* The tree is made: its files can be read and written. */
static int open_staged(struct sink_tree *t, struct error *err)
{
    const struct tree_files_options options = {
        .dir_fd = tar_stage_fd(t->stage),
        .index = t->sink.tree,
        .writes = true,
        .max_open = OPEN_FILES,
        .failed = note_failed_file,
        .opaque = t,
    };

    t->sink.size.disk_bytes = t->sink.virtual_bytes;
    t->sink.size.fits = true;
    t->sink.preallocation = "off";
    if (t->sink.options.preallocate != CW_PREALLOCATE_OFF)
        snprintf(t->sink.preallocation_why, sizeof(t->sink.preallocation_why),
                 "the space of a directory is not reserved");
    if (check_tree_room(t, err) < 0)
        return -1;
    return t->files ? 0 : tree_files_open(&options, &t->files, err);
}

static int tree_prepare_new(struct sink_tree *t, struct error *err)
{
    if (open_stage(t, err) < 0 || tar_stage_make(t->stage, false, err) < 0 ||
        open_staged(t, err) < 0)
        return -1;
    t->sink.reads_zero = "hole";
    t->sink.zero_min = 0;
    return 0;
}

/* What an earlier run left, or else files that are there already. */
static int tree_adopt(struct sink_tree *t, struct error *err)
{
    int r = open_stage(t, err);

    if (r == 0)
        r = tar_stage_take_up(t->stage, err);
    if (r == 0 && tar_stage_make(t->stage, true, err) < 0)
        r = -1;
    if (r < 0 || open_staged(t, err) < 0)
        return -1;
    if (r == 0 && tar_stage_found_bytes(t->stage) == 0)
        return 0; /* all of it is new: tree_prepare_new() follows */
    t->sink.reads_zero = NULL;
    t->sink.zero_min = SINK_ZERO_MIN_BYTES;
    return 1;
}

static int tree_prepare(struct sink *sink, const struct sink_room *room,
                        struct error *err)
{
    struct sink_tree *t = tree_of(sink);
    int r;

    if (!sink->tree || room->kind == SINK_ROOM_STREAM ||
        room->kind == SINK_ROOM_SETTLE)
        return sink_refuse_disk(sink, err);
    if (room->kind == SINK_ROOM_RESUME)
        return error_set(err, ERROR_REFUSED, 0, "%s has no record",
                         sink->options.path);
    r = room->kind == SINK_ROOM_ADOPT ? tree_adopt(t, err)
                                      : tree_prepare_new(t, err);
    if (r < 0)
        drop_stage(t, true);
    return r;
}

/* ---- content ---- */

/* Before [offset, offset+length) is written to.  0 or -errno. */
static int own_range(const struct sink_tree *t, uint64_t offset,
                     uint64_t length)
{
    const struct tree_index *index = t->sink.tree;
    int r = 0;

    for (size_t n = tree_index_find(index, offset);
         r == 0 && n < index->count && index->files[n].offset < offset + length;
         n++)
        r = tar_stage_own(t->stage, n);
    return r;
}

static void tree_write(struct sink *sink, struct io_queue *queue, struct io *io)
{
    struct sink_tree *t = tree_of(sink);
    int r = own_range(t, io->offset, io->len);

    if (r < 0)
        io_queue_post(queue, io, r);
    else
        tree_files_submit(t->files, queue, io);
}

static int tree_write_zeros(int fd, uint64_t offset, uint64_t length)
{
    static const uint8_t zeros[ZERO_PIECE];

    while (length > 0) {
        ssize_t n = pwrite(fd, zeros,
                           length < ZERO_PIECE ? (size_t)length : ZERO_PIECE,
                           (off_t)offset);

        if (n < 0 && errno != EINTR)
            return -errno;
        offset += n > 0 ? (uint64_t)n : 0;
        length -= n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

/* 0 or -errno. */
static int zero_in_file(struct sink_tree *t, size_t number, uint64_t offset,
                        uint64_t length)
{
    struct file *file;
    int r;

    if (tar_stage_is_hole(t->stage, number, offset, length))
        return 0;
    r = tar_stage_own(t->stage, number);
    if (r != 0)
        return r;
    r = tree_files_borrow(t->files, number, &file);
    if (r != 0)
        return r;
    if (fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)offset, (off_t)length) < 0)
        r = errno == EOPNOTSUPP ? tree_write_zeros(file->fd, offset, length)
                                : -errno;
    tree_files_release(t->files, file);
    return r;
}

static int tree_zero(struct sink *sink, uint64_t offset, uint64_t length,
                     struct error *err)
{
    struct sink_tree *t = tree_of(sink);
    const struct tree_index *index = sink->tree;
    uint64_t end = offset + length;
    int r = 0;

    if (offset < index->data_begin)
        r = -EBADMSG; /* the index has no zeros of that length */
    for (size_t n = tree_index_find(index, offset);
         r == 0 && n < index->count && index->files[n].offset < end; n++) {
        const struct tree_file *f = &index->files[n];
        uint64_t from = offset > f->offset ? offset - f->offset : 0;
        uint64_t to = end - f->offset;

        r = zero_in_file(t, n, from,
                         (to < f->size_bytes ? to : f->size_bytes) - from);
    }
    return r < 0 ? sink_fail_at(sink, r, "zero", length, offset, err) : 0;
}

static int tree_flush(struct sink *sink)
{
    struct sink_tree *t = tree_of(sink);

    return t->stage ? tar_stage_flush(t->stage) : 0;
}

/* ---- the end ---- */

static int tree_commit(struct sink *sink, struct error *err)
{
    struct sink_tree *t = tree_of(sink);

    tree_files_close(TAKE_PTR(t->files));
    if (tar_stage_finish(t->stage, err) < 0)
        return -1;
    t->is_committed = true;
    return 0;
}

static void tree_discard(struct sink *sink)
{
    drop_stage(tree_of(sink), false);
}

static void tree_close(struct sink *sink)
{
    struct sink_tree *t = tree_of(sink);

    drop_stage(t, !t->is_committed);
    tree_index_free(sink->tree);
    free(t->content);
    free(t);
}

static const struct sink_ops tree_ops = {
    .kind = "directory",
    .prepare = tree_prepare,
    .write = tree_write,
    .zero = tree_zero,
    .flush = tree_flush,
    .commit = tree_commit,
    .discard = tree_discard,
    .close = tree_close,
};

/* Is there anything but what a filesystem, or a killed run of ours, has? */
static int is_used(const char *path, bool *used, struct error *err)
{
    AUTO(auto_closedir) DIR *dir = directory_open(AT_FDCWD, path);
    bool has_files = false, has_left = false;
    const char *name;

    if (!dir)
        return error_set(err, ERROR_TARGET_IO, errno, "list %s", path);
    while ((name = directory_next(dir))) {
        if (strcmp(name, PARTIAL_TREE_NAME) == 0)
            has_left = true;
        else if (strcmp(name, "lost+found") != 0)
            has_files = true;
    }
    *used = has_files && !has_left;
    return 0;
}

int sink_check_tree(const struct sink_options *options, struct error *err)
{
    bool used;

    if (is_used(options->path, &used, err) < 0)
        return -1;
    if (!used || options->overwrite || options->delta != CW_DELTA_OFF)
        return 0;
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is a directory that is not empty: --overwrite or "
                     "--delta replaces what has the names of the source's "
                     "files; name a file in it for a disk",
                     options->path);
}

int sink_open_tree(const struct sink_options *options, struct sink **sink,
                   struct error *err)
{
    struct sink_tree *t;

    if (sink_check_tree(options, err) < 0)
        return -1;
    t = calloc(1, sizeof(*t));
    if (!t ||
        asprintf(&t->content, "%s/" PARTIAL_TREE_NAME, options->path) < 0) {
        free(t);
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    }
    t->sink.ops = &tree_ops;
    t->sink.options = *options;
    t->sink.takes_tree = true;
    t->sink.content_path = t->content;
    *sink = &t->sink;
    return 0;
}
