/*
 * A disk in a regular file: written under a partial name beside the final
 * one, so that a file with the final name is always a whole disk.
 *
 * The partial is locked while a target works on it.  A partial that nobody
 * holds was left by a run that died: the next run replaces it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "sink/sink_private.h"

/* Another target may finish between our open and our lock, this often. */
#define MOST_OPENS 16

struct sink_file {
    struct sink sink;
    char *partial;    /* owned */
    char *directory;  /* owned */
    bool has_content; /* the partial holds something worth keeping */
};

static struct sink_file *of(struct sink *sink)
{
    return (struct sink_file *)sink;
}

/* ---- planning ---- */

/* What the volume offers when leftover_bytes of our own are given back. */
static int gather(const struct sink_options *options, const char *directory,
                  uint64_t leftover_bytes, struct sizing_facts *facts,
                  struct error *err)
{
    struct volume_space volume;

    if (volume_space(directory, &volume, err) < 0)
        return -1;
    volume.available_bytes += leftover_bytes;
    *facts = (struct sizing_facts){
        .wanted_bytes = options->size_bytes,
        .grow = options->size_max,
        .overcommit = options->overcommit &&
                      options->preallocate == SINK_PREALLOCATE_OFF,
        .overhead_ppm = options->overhead_ppm,
        .available_bytes = volume.available_bytes,
        .kept_bytes = volume.kept_bytes,
    };
    if (volume.total_bytes > volume.available_bytes)
        facts->taken_bytes = volume.total_bytes - volume.available_bytes;
    return 0;
}

/*
 * The old file stays until the new one is whole, if there is room for both.
 * Otherwise its space is planned with, and *give_up_old is set.
 */
static int decide(struct sizing_facts *facts, uint64_t old_bytes,
                  bool *give_up_old, struct sizing_verdict *verdict,
                  struct error *err)
{
    int r = sizing_plan(facts, verdict, err);

    *give_up_old = false;
    if (old_bytes == 0 || verdict->fits ||
        (r < 0 && err->kind != ERROR_NO_SPACE))
        return r;
    facts->available_bytes += old_bytes;
    facts->taken_bytes -= old_bytes < facts->taken_bytes ? old_bytes
                                                         : facts->taken_bytes;
    r = sizing_plan(facts, verdict, err);
    *give_up_old = verdict->fits;
    return r;
}

static int refuse_exists(const struct sink_options *options, struct error *err)
{
    return error_set(err, ERROR_REFUSED, 0,
                     "%s exists; --overwrite would replace it", options->path);
}

static int check_exists(const struct sink_options *options,
                        const struct target_path *place, struct error *err)
{
    if (place->kind != TARGET_PATH_FILE || options->finished)
        return 0;
    if (options->overwrite || options->delta)
        return sink_check_guest(options->path, err);
    return refuse_exists(options, err);
}

int sink_plan_file(const struct sink_options *options,
                   const struct target_path *place, uint64_t virtual_bytes,
                   struct sizing_verdict *verdict, struct error *err)
{
    AUTO_FREE char *partial = target_path_partial(options->path);
    AUTO_FREE char *directory = target_path_directory(options->path);
    uint64_t leftover_bytes = 0;
    struct sizing_facts facts;
    struct stat st;
    bool give_up_old;

    if (!partial || !directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "plan %s", options->path);
    if (check_exists(options, place, err) < 0)
        return -1;
    if (lstat(partial, &st) == 0 && S_ISREG(st.st_mode))
        leftover_bytes = (uint64_t)st.st_blocks * 512;
    if (gather(options, directory, leftover_bytes, &facts, err) < 0)
        return -1;
    facts.virtual_bytes = virtual_bytes;
    return decide(&facts, place->allocated_bytes, &give_up_old, verdict, err);
}

/* ---- preparing ---- */

static int give_up_old(const struct sink *sink, struct error *err)
{
    log_warn("%s: no room for the old file and the new one: removing the old",
             sink->options.path);
    if (unlink(sink->options.path) < 0 && errno != ENOENT)
        return error_set(err, ERROR_TARGET_IO, errno, "remove %s",
                         sink->options.path);
    return 0;
}

static int resize(const struct sink *sink, uint64_t bytes, struct error *err)
{
    int r = 0;

    while (ftruncate(sink->file.fd, (off_t)bytes) < 0) {
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

static int make_room(struct sink *sink, struct error *err)
{
    if (of(sink)->has_content)
        log_info("%s: replacing what an interrupted run left",
                 of(sink)->partial);
    if (resize(sink, 0, err) < 0)
        return -1;
    of(sink)->has_content = false;
    if (resize(sink, sink->size.disk_bytes, err) < 0 ||
        preallocate_file(sink, err) < 0)
        return -1;
    of(sink)->has_content = true;
    sink->end_bytes = sink->size.disk_bytes;
    sink->file.size_bytes = sink->size.disk_bytes;
    return 0;
}

/*
 * The numbers said yes and the filesystem no: another clone was quicker, or
 * a quota is smaller than the volume.  With the numbers of now, if they
 * explain it.
 */
static int refuse_reserve(struct sink *sink, struct error *err)
{
    struct sizing_facts facts;
    struct sizing_verdict verdict;
    struct error why;

    if (resize(sink, 0, &why) < 0 ||
        gather(&sink->options, of(sink)->directory, 0, &facts, &why) < 0)
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

/* Does the disk fit, and what has to go for it? */
static int plan_partial(struct sink *sink, struct error *err)
{
    struct target_path old;
    struct sizing_facts facts;
    struct stat st;
    bool must_give_up;

    if (target_path_look(sink->options.path, &old, err) < 0 ||
        check_exists(&sink->options, &old, err) < 0)
        return -1;
    if (fstat(sink->file.fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         of(sink)->partial);
    if (gather(&sink->options, of(sink)->directory,
               (uint64_t)st.st_blocks * 512, &facts, err) < 0)
        return -1;
    facts.virtual_bytes = sink->virtual_bytes;
    if (decide(&facts, old.allocated_bytes, &must_give_up, &sink->size, err) <
        0)
        return -1;
    return must_give_up ? give_up_old(sink, err) : 0;
}

static int file_prepare(struct sink *sink, struct error *err)
{
    if (sink->options.finished)
        return refuse_exists(&sink->options, err);
    if (plan_partial(sink, err) < 0)
        return -1;
    if (make_room(sink, err) == 0)
        return 0;
    return err->kind == ERROR_NO_SPACE ? refuse_reserve(sink, err) : -1;
}

/* ---- a disk whose size is not known yet ---- */

static int file_available(struct sink *sink, uint64_t *bytes, struct error *err)
{
    struct sizing_facts facts;
    struct target_path old;
    struct stat st;

    if (target_path_look(sink->options.path, &old, err) < 0)
        return -1;
    if (fstat(sink->file.fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         of(sink)->partial);
    if (gather(&sink->options, of(sink)->directory,
               (uint64_t)st.st_blocks * 512 + old.allocated_bytes, &facts,
               err) < 0)
        return -1;
    *bytes = facts.available_bytes;
    return 0;
}

static int file_prepare_stream(struct sink *sink, uint64_t least_bytes,
                               uint64_t *most_bytes, struct error *err)
{
    struct target_path old;

    if (target_path_look(sink->options.path, &old, err) < 0 ||
        check_exists(&sink->options, &old, err) < 0 ||
        file_available(sink, most_bytes, err) < 0)
        return -1;
    if (old.kind == TARGET_PATH_FILE && unlink(sink->options.path) < 0 &&
        errno != ENOENT)
        return error_set(err, ERROR_TARGET_IO, errno, "remove %s",
                         sink->options.path);
    sink->size = (struct sizing_verdict){ .fits = true,
                                          .disk_bytes = least_bytes };
    if (make_room(sink, err) < 0)
        return -1;
    /* Sparse: what is never written is cut off by file_resize(). */
    sink->end_bytes = sink->file.size_bytes = *most_bytes;
    return resize(sink, *most_bytes, err);
}

static int file_resize(struct sink *sink, uint64_t disk_bytes,
                       struct error *err)
{
    if (resize(sink, disk_bytes, err) < 0)
        return -1;
    sink->end_bytes = sink->file.size_bytes = disk_bytes;
    /* Reserves what is not yet; what was written stays. */
    return preallocate_file(sink, err);
}

static void file_discard(struct sink *sink)
{
    struct error err;

    if (resize(sink, 0, &err) < 0)
        log_warn("%s", err.text);
    else
        of(sink)->has_content = false;
}

/* Nothing is to be written any more, nor zeroed. */
static int take_finished(struct sink *sink, uint64_t disk_bytes,
                         struct error *err)
{
    sink->options.preallocate = SINK_PREALLOCATE_OFF;
    sink->size.disk_bytes = disk_bytes;
    sink->end_bytes = sink->virtual_bytes;
    return preallocate_file(sink, err);
}

/* A disk that is to fill the volume keeps the size it has been given. */
static int file_resume(struct sink *sink, uint64_t disk_bytes,
                       struct error *err)
{
    int r = file_refresh_size(&sink->file);

    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "look at %s",
                         of(sink)->partial);
    if (sink->file.size_bytes != disk_bytes)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s has %" PRIu64 " bytes, not %" PRIu64,
                         of(sink)->partial, sink->file.size_bytes, disk_bytes);
    if (sink->options.finished)
        return take_finished(sink, disk_bytes, err);
    if (plan_partial(sink, err) < 0)
        return -1;
    if (sink->size.disk_bytes != disk_bytes && !sink->options.size_max)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s was to have %" PRIu64 " bytes, now %" PRIu64,
                         of(sink)->partial, disk_bytes, sink->size.disk_bytes);
    sink->size.disk_bytes = disk_bytes;
    sink->end_bytes = disk_bytes;
    of(sink)->has_content = true;
    return preallocate_file(sink, err);
}

static int file_identify(const struct sink *sink, char *identity,
                         struct error *err)
{
    return identify_file(sink->file.fd, sink->options.path, identity, err);
}

/* ---- the name ---- */

/* Fails with EEXIST where somebody made the name meanwhile. */
static int rename_to_free_name(const char *from, const char *to)
{
    struct stat st;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* Not on this filesystem: nearly as good. */
    if (lstat(to, &st) == 0)
        return -EEXIST;
    return rename(from, to) < 0 ? -errno : 0;
}

/* From now on it is read, if at all, under its final name. */
static int take_name(struct sink_file *f, struct error *err)
{
    char *name = strdup(f->sink.options.path);

    if (!name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "remember a name");
    free(f->partial);
    f->partial = name;
    return 0;
}

static int file_commit(struct sink *sink, struct error *err)
{
    const char *path = sink->options.path;
    const char *partial = of(sink)->partial;
    int r;

    if (!sink->options.overwrite)
        r = rename_to_free_name(partial, path);
    else
        r = rename(partial, path) < 0 ? -errno : 0;
    if (r == -EEXIST)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s was made by somebody else meanwhile; the disk is "
                         "whole in %s",
                         path, partial);
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "rename %s to %s", partial,
                         path);
    r = file_sync_directory(path);
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "flush directory of %s",
                         path);
    return take_name(of(sink), err);
}

/* Is partial still the file we hold, or was it renamed or removed? */
static bool still_holds_name(const struct sink_file *f)
{
    struct stat held, named;

    return fstat(f->sink.file.fd, &held) == 0 &&
           lstat(f->partial, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static void file_close_sink(struct sink *sink)
{
    struct sink_file *f = of(sink);
    int r;

    /* Under the lock, and so not another target's. */
    if (f->partial && sink->file.fd >= 0 && !f->has_content &&
        still_holds_name(f))
        unlink(f->partial);
    r = file_close(&sink->file);
    if (r < 0)
        log_warn("close %s: %s", sink->options.path, strerrordesc_np(-r));
    free(f->partial);
    free(f->directory);
    free(f);
}

/* ---- opening ---- */

static int open_failed(const struct sink_file *f, int r, struct error *err)
{
    const char *path = f->sink.options.path;

    switch (-r) {
    case EACCES:
    case EPERM:
        return error_set(err, ERROR_TARGET_IO, -r,
                         "make %s: no right to write in %s (in a pod: the "
                         "volume needs fsGroup)",
                         f->partial, f->directory);
    case ENOTBLK:
    case ELOOP:
    case EISDIR:
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is in the way: not a regular file", f->partial);
    case EOPNOTSUPP:
        return error_set(err, ERROR_TARGET_IO, 0,
                         "open %s: no %s I/O on this filesystem", path,
                         file_mode_name(f->sink.options.mode));
    default:
        return error_set(err,
                         sink_is_no_space(r) ? ERROR_NO_SPACE : ERROR_TARGET_IO,
                         -r, "make %s", f->partial);
    }
}

/* True with the lock, or where the filesystem has none. */
static bool take_lock(const struct sink_file *f)
{
    if (flock(f->sink.file.fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return false;
    log_warn("lock %s: %s: nothing keeps a second target away", f->partial,
             strerrordesc_np(errno));
    return true;
}

static int open_partial(struct sink_file *f, struct error *err)
{
    struct sink *sink = &f->sink;

    for (int i = 0; i < MOST_OPENS; i++) {
        int create = sink->options.finished ? 0 : O_CREAT;
        int r = file_open(&sink->file, f->partial, O_RDWR | create | O_NOFOLLOW,
                          0660, sink->options.mode);

        if (r < 0)
            return open_failed(f, r, err);
        if (!take_lock(f)) {
            file_close(&sink->file);
            break;
        }
        if (still_holds_name(f)) {
            f->has_content = sink->options.finished ||
                             sink->file.allocated_bytes > 0;
            return 0;
        }
        file_close(&sink->file);
    }
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is being written by another "
                     "target",
                     f->partial);
}

static void let_go(struct sink_file *f)
{
    if (still_holds_name(f))
        unlink(f->partial);
    file_close(&f->sink.file);
}

/* The older disk under its final name becomes the partial.  1, 0: none. */
static int take_older(struct sink_file *f, struct error *err)
{
    const char *path = f->sink.options.path;
    struct sizing_facts facts;
    struct file older;
    int r;

    r = file_open(&older, path, O_RDWR | O_NOFOLLOW, 0, f->sink.options.mode);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "open %s", path);
    let_go(f);
    f->sink.file = older;
    if (!take_lock(f))
        return error_set(err, ERROR_REFUSED, 0, "%s is in use", path);
    if (gather(&f->sink.options, f->directory, older.allocated_bytes, &facts,
               err) < 0)
        return -1;
    facts.virtual_bytes = f->sink.virtual_bytes;
    if (sizing_plan(&facts, &f->sink.size, err) < 0)
        return -1;
    if (rename(path, f->partial) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "rename %s to %s", path,
                         f->partial);
    f->has_content = true;
    return 1;
}

static int file_adopt(struct sink *sink, bool older, struct error *err)
{
    struct sink_file *f = of(sink);
    int r = 0;

    if (sink->options.finished)
        return 0;
    if (f->has_content)
        r = plan_partial(sink, err) < 0 ? -1 : 1;
    else if (older && (sink->options.delta || sink->options.overwrite))
        r = take_older(f, err);
    if (r <= 0)
        return r;
    if (resize(sink, sink->size.disk_bytes, err) < 0 ||
        preallocate_file(sink, err) < 0)
        return -1;
    sink->end_bytes = sink->size.disk_bytes;
    sink->file.size_bytes = sink->size.disk_bytes;
    return 1;
}

static const char *file_content_path(const struct sink *sink)
{
    return ((const struct sink_file *)sink)->partial;
}

static const struct sink_ops file_ops = {
    .kind = "file",
    .prepare = file_prepare,
    .prepare_stream = file_prepare_stream,
    .resize = file_resize,
    .discard = file_discard,
    .available = file_available,
    .resume = file_resume,
    .adopt = file_adopt,
    .content_path = file_content_path,
    .identify = file_identify,
    .commit = file_commit,
    .close = file_close_sink,
};

static void auto_close_sink(struct sink_file **f)
{
    if (*f)
        file_close_sink(&(*f)->sink);
}

int sink_open_file(const struct sink_options *options,
                   const struct target_path *place, struct sink **sink,
                   struct error *err)
{
    AUTO(auto_close_sink) struct sink_file *f = NULL;

    if (check_exists(options, place, err) < 0)
        return -1;
    f = calloc(1, sizeof(*f));
    if (!f)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    f->sink.ops = &file_ops;
    f->sink.options = *options;
    f->sink.file = (struct file)FILE_CLOSED;
    f->partial = options->finished ? strdup(options->path)
                                   : target_path_partial(options->path);
    f->directory = target_path_directory(options->path);
    if (!f->partial || !f->directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    if (open_partial(f, err) < 0)
        return -1;
    *sink = &TAKE_PTR(f)->sink;
    return 0;
}
