/* The parts common to all kinds of target, and the choice between them. */
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "sink/blkid_probe.h"
#include "sink/final_name.h"
#include "sink/sink_private.h"

int sink_plan(const struct sink_options *options, uint64_t virtual_bytes,
              struct sizing_verdict *verdict, struct error *err)
{
    struct target_path place;

    *verdict = (struct sizing_verdict){ 0 };
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

    if (target_path_look(options->path, &place, err) < 0)
        return -1;
    if (place.kind == TARGET_PATH_DEVICE)
        return sink_open_block(options, &place, sink, err);
    return sink_open_file(options, &place, sink, err);
}

int sink_prepare(struct sink *sink, uint64_t virtual_bytes, struct error *err)
{
    sink->virtual_bytes = virtual_bytes;
    atomic_store(&sink->stop, false);
    return sink->ops->prepare(sink, err);
}

int sink_prepare_stream(struct sink *sink, uint64_t min_bytes,
                        uint64_t *max_bytes, struct error *err)
{
    atomic_store(&sink->stop, false);
    if (sink->ops->prepare_stream(sink, min_bytes, max_bytes, err) < 0)
        return -1;
    sink->virtual_bytes = *max_bytes;
    return 0;
}

int sink_settle(struct sink *sink, uint64_t virtual_bytes, uint64_t min_bytes,
                struct error *err)
{
    sink->virtual_bytes = virtual_bytes;
    sink->size.disk_bytes = virtual_bytes > min_bytes ? virtual_bytes
                                                      : min_bytes;
    return sink->ops->resize
               ? sink->ops->resize(sink, sink->size.disk_bytes, err)
               : 0;
}

void sink_discard(struct sink *sink)
{
    if (sink->ops->discard)
        sink->ops->discard(sink);
    atomic_store(&sink->is_broken, false);
}

int sink_available(struct sink *sink, uint64_t *bytes, struct error *err)
{
    return sink->ops->available(sink, bytes, err);
}

int sink_resume(struct sink *sink, uint64_t virtual_bytes, uint64_t disk_bytes,
                struct error *err)
{
    sink->virtual_bytes = virtual_bytes;
    atomic_store(&sink->is_touched, true);
    if (sink->ops->resume(sink, disk_bytes, err) < 0)
        return -1;
    sink_reuse(sink);
    return 0;
}

int sink_adopt(struct sink *sink, uint64_t virtual_bytes, bool older,
               struct error *err)
{
    int r;

    sink->virtual_bytes = virtual_bytes;
    r = sink->ops->adopt(sink, older, err);
    if (r <= 0)
        return r;
    atomic_store(&sink->is_touched, true);
    sink_reuse(sink);
    return 1;
}

bool sink_is_device(const struct sink *sink)
{
    return sink->file.is_block_device;
}

const char *sink_content_path(const struct sink *sink)
{
    return sink->ops->content_path(sink);
}

void sink_drop_cache(const struct sink *sink)
{
    int r = posix_fadvise(sink->file.fd, 0, 0, POSIX_FADV_DONTNEED);

    if (r != 0)
        log_debug("drop %s from the page cache: %s", sink->options.path,
                  strerrordesc_np(r));
}

int sink_identify(const struct sink *sink, char identity[SINK_IDENTITY_BYTES],
                  struct error *err)
{
    return sink->ops->identify(sink, identity, err);
}

void sink_stamp(const struct sink *sink, char stamp[FILE_STAMP_BYTES])
{
    if (!file_stamp(sink->file.fd, stamp))
        stamp[0] = '\0';
}

bool sink_describe(const struct sink *sink, char *buf, size_t len)
{
    return blkid_probe_describe(sink->file.fd, sink->file.size_bytes, buf, len);
}

bool sink_tail_is_blank(const struct sink *sink, uint64_t begin)
{
    return begin >= sink->file.size_bytes ||
           blkid_probe_reads_zero(sink->file.fd, begin, sink->file.size_bytes);
}

size_t sink_partition_starts(const struct sink *sink, uint64_t *starts,
                             size_t max)
{
    return blkid_probe_starts(sink->file.fd, starts, max);
}

char *sink_state_path(const struct sink *sink, const char *directory)
{
    if (!directory && sink->file.is_block_device)
        return NULL;
    return target_path_state(sink->options.path, directory);
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

int sink_fail_at(struct sink *sink, int r, const char *verb, uint64_t length,
                 uint64_t offset, struct error *err)
{
    enum error_kind kind = ERROR_TARGET_IO;

    if (sink_is_no_space(r))
        kind = ERROR_NO_SPACE;
    if (r == -ECANCELED)
        kind = ERROR_CANCELLED;
    else
        atomic_store(&sink->is_broken, true);
    return error_set_at(err, kind, -r, offset,
                        "%s %" PRIu64 " bytes at %" PRIu64 " of %s", verb,
                        length, offset, sink->options.path);
}

int sink_zero_now(struct sink *sink, uint64_t offset, uint64_t length,
                  struct error *err)
{
    uint64_t failed = offset;
    int r = zeroer_apply(&sink->zeroer, offset, length, &failed);

    if (r < 0)
        return sink_fail_at(sink, r, "zero", offset + length - failed, failed,
                            err);
    return 0;
}

static int zero_tail(struct sink *sink, struct error *err)
{
    uint64_t begin = sink->virtual_bytes;

    if (sink->reads_zero || sink->end_bytes <= begin)
        return 0;
    log_info("%s: zeroing the tail, %" PRIu64 " bytes", sink->options.path,
             sink->end_bytes - begin);
    return sink_zero_now(sink, begin, sink->end_bytes - begin, err);
}

/* After a failed flush, the lost pages are unknown: do not retry. */
int sink_flush(struct sink *sink, struct error *err)
{
    int r;

    if (atomic_load(&sink->is_broken))
        return error_set(err, ERROR_TARGET_IO, EIO,
                         "flush %s: an earlier write or flush failed",
                         sink->options.path);
    r = file_sync(&sink->file);
    if (r == 0)
        return 0;
    atomic_store(&sink->is_broken, true);
    return error_set(err,
                     sink_is_no_space(r) ? ERROR_NO_SPACE : ERROR_TARGET_IO, -r,
                     "flush %s", sink->options.path);
}

int sink_finish(struct sink *sink, struct error *err)
{
    struct stat st;

    if (zero_tail(sink, err) < 0)
        return error_wrap(err, "tail");
    if (sink_flush(sink, err) < 0)
        return -1;
    if (!sink->file.is_block_device && fstat(sink->file.fd, &st) == 0)
        sink->allocated_bytes = (uint64_t)st.st_blocks * 512;
    return 0;
}

int sink_commit(struct sink *sink, struct error *err)
{
    return sink->ops->commit ? sink->ops->commit(sink, err) : 0;
}

int sink_confirm(struct sink *sink, struct error *err)
{
    if (sink_flush(sink, err) < 0)
        return -1;
    return sink->file.is_block_device
               ? 0
               : final_name_sync(sink->options.path, err);
}

void sink_stop(struct sink *sink)
{
    atomic_store(&sink->stop, true);
}

uint64_t sink_zeroed_bytes(const struct sink *sink)
{
    return atomic_load(&sink->zeroer.zeroed_bytes);
}

void sink_get_report(const struct sink *sink, struct sink_report *report)
{
    bool prepared = sink->preallocation != NULL;

    *report = (struct sink_report){
        .kind = sink->ops->kind,
        .mode = sink->file.mode,
        .disk_bytes = sink->size.disk_bytes,
        .allocated_bytes = sink->allocated_bytes,
        .sector_bytes = sink->file.sector_bytes,
        .size = sink->size,
        .preallocation = prepared ? sink->preallocation : "off",
    };
    report->zero_method = "hole";
    if (sink->reads_zero)
        report->zero_method = sink->reads_zero;
    else if (prepared)
        report->zero_method = zeroer_name(&sink->zeroer);
    memcpy(report->preallocation_why, sink->preallocation_why,
           sizeof(report->preallocation_why));
}

void sink_close(struct sink *sink)
{
    if (sink)
        sink->ops->close(sink);
}
