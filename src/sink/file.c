/*
 * A disk in a regular file: written under a partial name beside the final one,
 * so that a file with the final name is always a whole disk.
 *
 * A file that the disk replaces keeps the final name until then.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/partial_tree.h"
#include "sink/file_plan.h"
#include "sink/final_name.h"
#include "sink/local_sink.h"
#include "sink/older_copy.h"
#include "sink/partial_file.h"

struct sink_file {
    struct local_sink local;
    char *partial;    /* owned */
    char *directory;  /* owned */
    bool has_content; /* the partial is worth keeping */
    bool
        replaces; /* a file with the final name, which file_plan_check_old() saw */
    mode_t new_mode; /* of a disk that replaces no file */
};

static struct sink_file *of(struct sink *sink)
{
    return (struct sink_file *)sink;
}

/* ---- preparing ---- */

static int resize(struct sink *sink, uint64_t bytes, struct error *err)
{
    int r = 0;

    while (ftruncate(local_of(sink)->file.fd, (off_t)bytes) < 0) {
        if (errno == EINTR)
            continue;
        r = errno;
        break;
    }
    if (r == 0)
        return 0;
    return error_set(
        err,
        r == EFBIG || sink_is_no_space(-r) ? ERROR_NO_SPACE : ERROR_TARGET_IO,
        r, "make %s %" PRIu64 " bytes long", sink->options.path, bytes);
}

static int allocate_file(struct sink *sink, struct error *err)
{
    if (of(sink)->has_content)
        log_info("%s: replacing what an interrupted run left",
                 of(sink)->partial);
    if (resize(sink, 0, err) < 0)
        return -1;
    of(sink)->has_content = false;
    if (resize(sink, sink->size.disk_bytes, err) < 0 ||
        preallocate_file(local_of(sink), err) < 0)
        return -1;
    of(sink)->has_content = true;
    local_of(sink)->end_bytes = sink->size.disk_bytes;
    local_of(sink)->file.size_bytes = sink->size.disk_bytes;
    return 0;
}

/*
 * The estimate fitted but the filesystem refused: another clone took the
 * space, or a quota is smaller than the volume.  Reports the current numbers
 * if they explain it.
 */
static int refuse_reserve(struct sink *sink, struct error *err)
{
    struct sizing_facts facts;
    struct sizing_verdict verdict;
    struct error why;

    if (resize(sink, 0, &why) < 0 ||
        file_plan_facts(&sink->options, of(sink)->directory, 0, &facts, &why) <
            0)
        return -1;
    facts.virtual_bytes = sink->virtual_bytes;
    if (sizing_plan(&facts, &verdict, &why) < 0 && why.kind == ERROR_NO_SPACE) {
        sink->size = verdict;
        *err = why;
        return -1;
    }
    return error_wrap(err,
                      "disk of %" PRIu64 " bytes does not fit, though volume "
                      "has %" PRIu64,
                      sink->size.disk_bytes, verdict.have_bytes);
}

/* Does the disk fit? */
static int plan_partial(struct sink *sink, struct error *err)
{
    struct target_path old;
    struct sizing_facts facts;
    struct stat st;

    if (target_path_look(sink->options.path, &old, err) < 0 ||
        file_plan_check_old(&sink->options, &old, err) < 0)
        return -1;
    if (fstat(local_of(sink)->file.fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         of(sink)->partial);
    if (file_plan_facts(&sink->options, of(sink)->directory,
                        (uint64_t)st.st_blocks * 512, &facts, err) < 0)
        return -1;
    facts.virtual_bytes = sink->virtual_bytes;
    of(sink)->replaces = old.kind == TARGET_PATH_FILE;
    return file_plan_decide(&facts, old.allocated_bytes, &sink->size, err);
}

static int file_facts(struct local_sink *local, struct sizing_facts *facts,
                      struct error *err)
{
    struct target_path old;
    struct stat st;

    if (target_path_look(local->sink.options.path, &old, err) < 0)
        return -1;
    if (fstat(local->file.fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         of(&local->sink)->partial);
    return file_plan_facts(&local->sink.options, of(&local->sink)->directory,
                           (uint64_t)st.st_blocks * 512 + old.allocated_bytes,
                           facts, err);
}

/* A sparse disk may be promised more than is free now. */
static void say_thin(struct sink *sink)
{
    struct sizing_facts facts;
    struct error ignored;

    if (file_facts(local_of(sink), &facts, &ignored) == 0 && facts.is_sparse &&
        sink->size.disk_bytes > facts.available_bytes)
        log_warn("%s: a sparse disk of %" PRIu64 " bytes, where %" PRIu64
                 " are free: the volume is full once so much is written",
                 sink->options.path, sink->size.disk_bytes,
                 facts.available_bytes);
}

static int prepare_new(struct sink *sink, struct error *err)
{
    if (sink->options.finished)
        return file_plan_refuse(&sink->options, err);
    if (plan_partial(sink, err) < 0)
        return -1;
    if (allocate_file(sink, err) == 0) {
        say_thin(sink);
        return 0;
    }
    return err->kind == ERROR_NO_SPACE ? refuse_reserve(sink, err) : -1;
}

/* ---- a disk whose size is not known yet ---- */

/* As allocate_file(), for a disk that may be partly there. */
static int make_room_for_stream(struct sink *sink, struct error *err)
{
    bool keeps = of(sink)->has_content &&
                 file_refresh_size(&local_of(sink)->file) == 0 &&
                 sink_keep_left(local_of(sink),
                                local_of(sink)->file.size_bytes);

    if (!keeps)
        return allocate_file(sink, err);
    log_info("%s: comparing with what an interrupted run left",
             of(sink)->partial);
    if (preallocate_file(local_of(sink), err) < 0)
        return -1;
    sink_distrust_zeros(sink);
    return 0;
}

/* A volume may have more space than its largest file may use: such a file
 * grows as it is written. */
static int stretch(struct sink *sink, uint64_t max_bytes, struct error *err)
{
    local_of(sink)->end_bytes = local_of(sink)->file.size_bytes = max_bytes;
    /* Sparse: settle() cuts off what is never written. */
    if (resize(sink, max_bytes, err) == 0)
        return 0;
    return err->errnum == EFBIG ? 0 : -1;
}

static int prepare_stream(struct sink *sink, uint64_t min_bytes,
                          uint64_t *max_bytes, struct error *err)
{
    struct target_path old;

    if (target_path_look(sink->options.path, &old, err) < 0 ||
        file_plan_check_old(&sink->options, &old, err) < 0 ||
        sink_max_bytes(sink, max_bytes, err) < 0)
        return -1;
    if (old.kind == TARGET_PATH_FILE && unlink(sink->options.path) < 0 &&
        errno != ENOENT)
        return error_set(err, ERROR_TARGET_IO, errno, "remove %s",
                         sink->options.path);
    sink->size = (struct sizing_verdict){ .fits = true,
                                          .disk_bytes = min_bytes };
    return make_room_for_stream(sink, err) < 0 ? -1
                                               : stretch(sink, *max_bytes, err);
}

static int settle(struct sink *sink, uint64_t disk_bytes, struct error *err)
{
    if (resize(sink, disk_bytes, err) < 0)
        return -1;
    local_of(sink)->end_bytes = local_of(sink)->file.size_bytes = disk_bytes;
    /* Reserves the remaining space; written data stays. */
    if (preallocate_file(local_of(sink), err) < 0)
        return -1;
    if (local_of(sink)->left_bytes > 0)
        sink_distrust_zeros(sink);
    say_thin(sink);
    return 0;
}

static void file_discard(struct sink *sink)
{
    struct error err;

    local_of(sink)->left_bytes = 0;
    if (resize(sink, 0, &err) < 0)
        log_warn("%s", err.text);
    else
        of(sink)->has_content = false;
}

/* Nothing remains to be written or zeroed. */
static int take_finished(struct sink *sink, uint64_t disk_bytes,
                         struct error *err)
{
    sink->options.preallocate = CW_PREALLOCATE_OFF;
    sink->size.disk_bytes = disk_bytes;
    local_of(sink)->end_bytes = sink->virtual_bytes;
    return preallocate_file(local_of(sink), err);
}

/* A disk that fills the volume keeps the size it was given. */
static int resume(struct sink *sink, uint64_t disk_bytes, struct error *err)
{
    int r = file_refresh_size(&local_of(sink)->file);

    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "look at %s",
                         of(sink)->partial);
    if (local_of(sink)->file.size_bytes != disk_bytes)
        return error_set(
            err, ERROR_REFUSED, 0, "%s has %" PRIu64 " bytes, not %" PRIu64,
            of(sink)->partial, local_of(sink)->file.size_bytes, disk_bytes);
    if (sink->options.finished)
        return take_finished(sink, disk_bytes, err);
    if (plan_partial(sink, err) < 0)
        return -1;
    if (sink->size.disk_bytes != disk_bytes && !sink->options.size_max)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s was to have %" PRIu64 " bytes, now %" PRIu64,
                         of(sink)->partial, disk_bytes, sink->size.disk_bytes);
    sink->size.disk_bytes = disk_bytes;
    local_of(sink)->end_bytes = disk_bytes;
    of(sink)->has_content = true;
    return preallocate_file(local_of(sink), err);
}

static int file_identify(const struct local_sink *local, char *identity,
                         struct error *err)
{
    return identify_file(local->file.fd, local->sink.options.path, identity,
                         err);
}

/* ---- the name ---- */

/* From now on, the disk is read only under its final name. */
static int take_name(struct sink_file *f, struct error *err)
{
    char *name = strdup(f->local.sink.options.path);

    if (!name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "remember a name");
    free(f->partial);
    f->partial = name;
    return 0;
}

/* Sets the mode of the disk: the one that was asked for, that of the file it
 * replaces, or of a new one. */
static int set_access(struct sink_file *f, bool replace, struct error *err)
{
    mode_t asked = f->local.sink.options.file_mode;
    mode_t mode = asked != 0 ? asked : f->new_mode;
    struct stat st;

    if (replace && asked == 0 && lstat(f->local.sink.options.path, &st) == 0)
        return final_name_copy_access(f->local.sink.options.path,
                                      f->local.file.fd, err);
    if (fstat(f->local.file.fd, &st) == 0 && (st.st_mode & 0777) != mode &&
        mode != 0 &&
        (fchmod(f->local.file.fd, mode) < 0 || fsync(f->local.file.fd) < 0))
        return error_set(err, ERROR_TARGET_IO, errno, "set the mode of %s",
                         f->partial);
    return 0;
}

static int file_commit(struct sink *sink, struct error *err)
{
    struct sink_file *f = of(sink);
    bool replace = sink->options.overwrite || f->replaces;

    older_copy_unmark(&f->local.file);
    if (set_access(f, replace, err) < 0 ||
        final_name_give(f->partial, sink->options.path, replace, err) < 0 ||
        take_name(f, err) < 0)
        return -1;
    return final_name_return_access(f->partial, local_of(sink)->file.fd, err);
}

static void file_close_sink(struct sink *sink)
{
    struct sink_file *f = of(sink);
    int r;

    /* The lock shows that no other target uses it. */
    if (f->partial && local_of(sink)->file.fd >= 0 && !f->has_content &&
        partial_file_has_name(local_of(sink)->file.fd, f->partial))
        unlink(f->partial);
    r = file_close(&local_of(sink)->file);
    if (r < 0)
        log_warn("close %s: %s", sink->options.path, strerrordesc_np(-r));
    free(f->partial);
    free(f->directory);
    free(f);
}

/* ---- opening ---- */

static int open_partial(struct sink_file *f, struct error *err)
{
    struct partial_file partial;

    if (partial_file_open(f->local.sink.options.path, f->directory,
                          f->local.sink.options.mode, &partial, err) < 0) {
        free(partial.path);
        return -1;
    }
    f->local.file = partial.file;
    f->partial = partial.path;
    f->new_mode = partial.new_mode;
    f->has_content = partial.has_content;
    return 0;
}

/* Opens the disk under its final name, read-only. */
static int open_finished(struct sink_file *f, struct error *err)
{
    const char *path = f->local.sink.options.path;
    int r = file_open(&f->local.file, path, O_RDWR | O_NOFOLLOW, 0,
                      f->local.sink.options.mode);

    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "open %s", path);
    f->has_content = true;
    if (!partial_file_lock(f->local.file.fd, path))
        return error_set(err, ERROR_REFUSED, 0, "%s is in use", path);
    if (take_name(f, err) < 0)
        return -1;
    return final_name_return_access(path, f->local.file.fd, err);
}

static void let_go(struct sink_file *f)
{
    if (partial_file_has_name(f->local.file.fd, f->partial))
        unlink(f->partial);
    file_close(&f->local.file);
}

/* Is the older disk free, and does the new one fit in its place? */
static int check_older(struct sink_file *f, const struct file *older,
                       struct error *err)
{
    const char *path = f->local.sink.options.path;
    struct sizing_facts facts;

    if (!partial_file_lock(older->fd, path))
        return error_set(err, ERROR_REFUSED, 0, "%s is in use", path);
    if (file_plan_facts(
            &f->local.sink.options, f->directory,
            older->allocated_bytes +
                partial_file_allocated_bytes(f->local.sink.options.path),
            &facts, err) < 0)
        return -1;
    facts.virtual_bytes = f->local.sink.virtual_bytes;
    return sizing_plan(&facts, &f->local.sink.size, err);
}

/* Renames the older disk to the partial name, where it is changed.  Takes
 * *older over.  1; -1. */
static int change_in_place(struct sink_file *f, struct file *older,
                           struct error *err)
{
    const char *path = f->local.sink.options.path;

    if (older_copy_check_in_place(&f->local.sink.options, older, err) < 0)
        return -1;
    let_go(f);
    f->local.file = *older;
    *older = (struct file)FILE_CLOSED;
    f->has_content = true;
    f->new_mode = 0;
    final_name_borrow_access(f->local.file.fd);
    if (rename(path, f->partial) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "rename %s to %s", path,
                         f->partial);
    return 1;
}

/* Checks the room for a second copy, and makes it. */
static int copy_whole(struct sink_file *f, const struct file *older,
                      struct error *err)
{
    struct sink *sink = &f->local.sink;
    uint64_t bytes = older->allocated_bytes < sink->virtual_bytes
                         ? older->allocated_bytes
                         : sink->virtual_bytes;

    if (sink->options.data_bytes < bytes)
        sink->options.data_bytes = bytes;
    if (plan_partial(sink, err) < 0)
        return -1;
    log_info("copying %s first, which stays until the new disk is whole",
             sink->options.path);
    f->has_content = true;
    return older_copy_data(&f->local.file, older, sink, err) < 0 ? -1 : 1;
}

/* Gives the partial the older disk's content.  1: done, that stays as it is; 0:
 * it is to be changed in place; -1. */
static int copy_older(struct sink_file *f, const struct file *older,
                      struct error *err)
{
    enum cw_delta way = f->local.sink.options.delta;
    int r;

    if (f->has_content)
        log_info("%s: removing what an interrupted run left", f->partial);
    if (way == CW_DELTA_INPLACE)
        return 0;
    f->has_content = false;
    r = older_copy_reflink(&f->local.file, older, err);
    if (r == 0 && way == CW_DELTA_COPY)
        return copy_whole(f, older, err);
    if (r == 1) {
        f->has_content = f->replaces = true;
        log_info("changing a reflink of %s, which stays until the new disk is "
                 "whole",
                 f->local.sink.options.path);
    }
    return r;
}

/* Begins with the older disk, in place of what an interrupted run left.  1; 0:
 * there is none, or the run was a delta of it. */
static int take_older(struct sink_file *f, struct error *err)
{
    const char *path = f->local.sink.options.path;
    struct file older;
    int r;

    r = file_open(&older, path, O_RDWR | O_NOFOLLOW, 0,
                  f->local.sink.options.mode);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "open %s", path);
    if (f->has_content && older_copy_is_base(&f->local.file, &older)) {
        file_close(&older);
        return 0;
    }
    r = check_older(f, &older, err);
    if (r == 0)
        r = copy_older(f, &older, err);
    if (r == 0)
        r = change_in_place(f, &older, err);
    file_close(&older);
    return r;
}

static int adopt(struct sink *sink, bool older, struct error *err)
{
    struct sink_file *f = of(sink);
    int r = 0;

    if (sink->options.finished)
        return 0;
    if (older && (sink->options.delta || sink->options.overwrite))
        r = take_older(f, err);
    if (r == 0 && f->has_content)
        r = plan_partial(sink, err) < 0 ? -1 : 1;
    if (r <= 0)
        return r;
    if (resize(sink, sink->size.disk_bytes, err) < 0 ||
        preallocate_file(local_of(sink), err) < 0)
        return -1;
    local_of(sink)->end_bytes = sink->size.disk_bytes;
    local_of(sink)->file.size_bytes = sink->size.disk_bytes;
    return 1;
}

static int file_prepare(struct sink *sink, const struct sink_room *room,
                        struct error *err)
{
    switch (room->kind) {
    case SINK_ROOM_NEW: return prepare_new(sink, err);
    case SINK_ROOM_STREAM:
        return prepare_stream(sink, room->min_bytes, room->max_bytes, err);
    case SINK_ROOM_RESUME: return resume(sink, room->disk_bytes, err);
    case SINK_ROOM_ADOPT: return adopt(sink, room->older, err);
    case SINK_ROOM_SETTLE: return settle(sink, sink->size.disk_bytes, err);
    }
    return 0;
}

static const char *file_content_path(const struct local_sink *local)
{
    return ((const struct sink_file *)local)->partial;
}

static const struct local_ops file_local_ops = {
    .facts = file_facts,
    .content_path = file_content_path,
    .identify = file_identify,
};

static const struct sink_ops file_ops = {
    .kind = "file",
    .local = &file_local_ops,
    .prepare = file_prepare,
    .write = local_sink_write,
    .zero = local_sink_zero,
    .flush = local_sink_flush,
    .commit = file_commit,
    .discard = file_discard,
    .close = file_close_sink,
};

static void auto_close_sink(struct sink_file **f)
{
    if (*f)
        file_close_sink(&(*f)->local.sink);
}

int sink_open_file(const struct sink_options *options,
                   const struct target_path *place, struct sink **sink,
                   struct error *err)
{
    AUTO(auto_close_sink) struct sink_file *f = NULL;
    int r;

    f = calloc(1, sizeof(*f));
    if (!f)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    f->local.sink.ops = &file_ops;
    f->local.sink.options = *options;
    f->local.file = (struct file)FILE_CLOSED;
    f->directory = target_path_directory(options->path);
    if (!f->directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    if (file_plan_check_name(options, place, f->directory, err) < 0)
        return -1;
    r = partial_tree_clear_in(f->directory);
    if (r < 0 && r != -EBUSY)
        log_warn("remove %s/" PARTIAL_TREE_NAME ": %s", f->directory,
                 strerrordesc_np(-r));
    if ((options->finished ? open_finished(f, err) : open_partial(f, err)) < 0)
        return -1;
    *sink = &TAKE_PTR(f)->local.sink;
    return 0;
}
