/* The parts common to all kinds of target, and the choice between them. */
#include "sink/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "sink/local_sink.h"
#include "tar/tree_index.h"

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int sink_plan(const struct sink_options *options, uint64_t virtual_bytes,
              struct sizing_verdict *verdict, struct error *err)
{
    struct target_path place;

    *verdict = (struct sizing_verdict){ 0 };
    if (is_directory(options->path)) {
        verdict->fits = true;
        verdict->disk_bytes = virtual_bytes;
        return sink_check_tree(options, err);
    }
    if (target_path_look(options->path, &place, err) < 0)
        return -1;
    if (place.kind == TARGET_PATH_DEVICE)
        return sink_plan_block(options, &place, virtual_bytes, verdict, err);
    return sink_plan_file(options, &place, virtual_bytes, verdict, err);
}

int sink_open(const struct sink_options *options, struct sink **sink,
              struct error *err)
{
    struct target_path place;

    if (is_directory(options->path))
        return sink_open_tree(options, sink, err);
    if (target_path_look(options->path, &place, err) < 0)
        return -1;
    if (place.kind == TARGET_PATH_DEVICE)
        return sink_open_block(options, &place, sink, err);
    return sink_open_file(options, &place, sink, err);
}

/* ---- a directory ---- */

int sink_set_tree(struct sink *sink, struct tree_index *index,
                  struct error *err)
{
    if (!sink->takes_tree && index) {
        tree_index_free(index);
        return error_set(err, ERROR_REFUSED, 0,
                         "the source sends a directory, and %s is not one: "
                         "name a directory, or make one with that name",
                         sink->options.path);
    }
    if (sink->takes_tree && !index)
        return sink_refuse_disk(sink, err);
    if (!index)
        return 0;
    if (sink->tree && tree_index_is_equal(sink->tree, index)) {
        tree_index_free(index);
        return 0;
    }
    sink_discard(sink); /* made for another one */
    tree_index_free(sink->tree);
    sink->tree = index;
    return 0;
}

const struct tree_index *sink_tree(const struct sink *sink)
{
    return sink->tree;
}

bool sink_takes_tree(const struct sink *sink)
{
    return sink->takes_tree;
}

/* ---- room ---- */

int sink_prepare(struct sink *sink, uint64_t virtual_bytes, struct error *err)
{
    const struct sink_room room = { .kind = SINK_ROOM_NEW };

    sink->virtual_bytes = virtual_bytes;
    atomic_store(&sink->stop, false);
    return sink->ops->prepare(sink, &room, err);
}

int sink_prepare_stream(struct sink *sink, uint64_t min_bytes,
                        uint64_t *max_bytes, struct error *err)
{
    const struct sink_room room = { .kind = SINK_ROOM_STREAM,
                                    .min_bytes = min_bytes,
                                    .max_bytes = max_bytes };

    atomic_store(&sink->stop, false);
    if (sink->ops->prepare(sink, &room, err) < 0)
        return -1;
    sink->virtual_bytes = *max_bytes;
    return 0;
}

int sink_settle(struct sink *sink, uint64_t virtual_bytes, uint64_t min_bytes,
                struct error *err)
{
    const struct sink_room room = { .kind = SINK_ROOM_SETTLE };

    sink->virtual_bytes = virtual_bytes;
    sink->size.disk_bytes = virtual_bytes > min_bytes ? virtual_bytes
                                                      : min_bytes;
    return sink->ops->prepare(sink, &room, err);
}

void sink_discard(struct sink *sink)
{
    if (sink->ops->discard)
        sink->ops->discard(sink);
    atomic_store(&sink->is_broken, false);
}

int sink_resume(struct sink *sink, uint64_t virtual_bytes, uint64_t disk_bytes,
                struct error *err)
{
    const struct sink_room room = { .kind = SINK_ROOM_RESUME,
                                    .disk_bytes = disk_bytes };

    sink->virtual_bytes = virtual_bytes;
    atomic_store(&sink->is_touched, true);
    if (sink->ops->prepare(sink, &room, err) < 0)
        return -1;
    sink_reuse(sink);
    return 0;
}

int sink_adopt(struct sink *sink, uint64_t virtual_bytes, bool older,
               struct error *err)
{
    const struct sink_room room = { .kind = SINK_ROOM_ADOPT, .older = older };
    int r;

    sink->virtual_bytes = virtual_bytes;
    atomic_store(&sink->stop, false); /* of a session before */
    r = sink->ops->prepare(sink, &room, err);
    if (r <= 0)
        return r;
    atomic_store(&sink->is_touched, true);
    sink_reuse(sink);
    return 1;
}

void sink_reuse(struct sink *sink)
{
    atomic_store(&sink->stop, false);
    sink_distrust_zeros(sink);
}

uint64_t sink_zero_min(const struct sink *sink)
{
    return sink->zero_min;
}

/* After a failed flush, the lost pages are unknown: do not retry. */
int sink_flush(struct sink *sink, struct error *err)
{
    int r;

    if (atomic_load(&sink->is_broken))
        return error_set(err, ERROR_TARGET_IO, EIO,
                         "flush %s: an earlier write or flush failed",
                         sink->options.path);
    r = sink->ops->flush(sink);
    if (r == 0)
        return 0;
    atomic_store(&sink->is_broken, true);
    return error_set(err,
                     sink_is_no_space(r) ? ERROR_NO_SPACE : ERROR_TARGET_IO, -r,
                     "flush %s", sink->options.path);
}

int sink_finish(struct sink *sink, struct error *err)
{
    if (sink_zero_tail(sink, err) < 0)
        return error_wrap(err, "tail");
    if (sink_flush(sink, err) < 0)
        return -1;
    sink->allocated_bytes = sink_allocated_bytes(sink);
    return 0;
}

int sink_confirm(struct sink *sink, struct error *err)
{
    return sink_flush(sink, err) < 0 ? -1 : sink_sync_name(sink, err);
}

int sink_commit(struct sink *sink, struct error *err)
{
    return sink->ops->commit ? sink->ops->commit(sink, err) : 0;
}

void sink_set_source(struct sink *sink, uint64_t data_bytes, unsigned file_mode)
{
    sink->options.data_bytes = data_bytes;
    sink->options.file_mode = file_mode & 0777;
}

void sink_stop(struct sink *sink)
{
    atomic_store(&sink->stop, true);
}

uint64_t sink_copied_bytes(const struct sink *sink)
{
    return atomic_load(&sink->copied_bytes);
}

void sink_get_report(const struct sink *sink, struct sink_report *report)
{
    *report = (struct sink_report){
        .kind = sink->ops->kind,
        .mode = CW_IO_MODE_BUFFERED,
        .disk_bytes = sink->size.disk_bytes,
        .sector_bytes = 512,
        .allocated_bytes = sink->allocated_bytes,
        .size = sink->size,
        .zero_method = sink->reads_zero ? sink->reads_zero : "hole",
        .preallocation = sink->preallocation ? sink->preallocation : "off",
    };
    memcpy(report->preallocation_why, sink->preallocation_why,
           sizeof(report->preallocation_why));
    sink_report_local(sink, report);
}

void sink_close(struct sink *sink)
{
    if (sink)
        sink->ops->close(sink);
}
