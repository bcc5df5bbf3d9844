/* What only a sink that is a file or device of this machine can do, and what
 * its absence means for any other sink. */
#include "sink/local_sink.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "sink/blkid_probe.h"
#include "sink/final_name.h"

/* NULL: another kind of sink. */
static const struct local_sink *find_local(const struct sink *sink)
{
    return sink->ops->local ? (const struct local_sink *)sink : NULL;
}

/* ---- writing ---- */

void local_sink_write(struct sink *sink, struct io_queue *queue, struct io *io)
{
    io->file = &local_of(sink)->file;
    io_queue_submit(queue, io);
}

int local_sink_zero(struct sink *sink, uint64_t offset, uint64_t length,
                    struct error *err)
{
    uint64_t failed = offset;
    int r = zeroer_apply(&local_of(sink)->zeroer, offset, length, &failed);

    if (r < 0)
        return sink_fail_at(sink, r, "zero", offset + length - failed, failed,
                            err);
    return 0;
}

int local_sink_flush(struct sink *sink)
{
    return file_sync(&local_of(sink)->file);
}

int sink_zero_tail(struct sink *sink, struct error *err)
{
    const struct local_sink *local = find_local(sink);
    uint64_t begin = sink->virtual_bytes;

    if (!local || sink->reads_zero || local->end_bytes <= begin)
        return 0;
    log_info("%s: zeroing the tail, %" PRIu64 " bytes", sink->options.path,
             local->end_bytes - begin);
    return local_sink_zero(sink, begin, local->end_bytes - begin, err);
}

uint64_t sink_zeroed_bytes(const struct sink *sink)
{
    const struct local_sink *local = find_local(sink);

    return local ? atomic_load(&local->zeroer.zeroed_bytes) : 0;
}

int sink_sync_name(const struct sink *sink, struct error *err)
{
    return !sink->ops->local || sink_is_device(sink)
               ? 0
               : final_name_sync(sink->options.path, err);
}

/* ---- what it is ---- */

bool sink_is_device(const struct sink *sink)
{
    const struct local_sink *local = find_local(sink);

    return local && local->file.is_block_device;
}

/* Another kind of sink has any amount of room. */
static int read_facts(struct sink *sink, struct sizing_facts *facts,
                      struct error *err)
{
    *facts = (struct sizing_facts){ .available_bytes = UINT64_MAX,
                                    .is_block_device = true };
    return sink->ops->local
               ? sink->ops->local->facts(local_of(sink), facts, err)
               : 0;
}

int sink_available(struct sink *sink, uint64_t *bytes, struct error *err)
{
    struct sizing_facts facts;

    if (read_facts(sink, &facts, err) < 0)
        return -1;
    *bytes = facts.available_bytes;
    return 0;
}

int sink_max_bytes(struct sink *sink, uint64_t *bytes, struct error *err)
{
    struct sizing_facts facts;

    if (read_facts(sink, &facts, err) < 0)
        return -1;
    *bytes = sizing_max(&facts);
    return 0;
}

int sink_check_room(struct sink *sink, uint64_t virtual_bytes,
                    struct error *err)
{
    struct sizing_verdict verdict;
    struct sizing_facts facts;

    if (!sink->ops->local)
        return 0;
    if (sink->ops->local->facts(local_of(sink), &facts, err) < 0)
        return -1;
    facts.virtual_bytes = virtual_bytes;
    return sizing_plan(&facts, &verdict, err);
}

const char *sink_content_path(const struct sink *sink)
{
    return sink->ops->local ? sink->ops->local->content_path(find_local(sink))
                            : sink->content_path;
}

int sink_identify(const struct sink *sink, char identity[SINK_IDENTITY_BYTES],
                  struct error *err)
{
    identity[0] = '\0';
    return sink->ops->local
               ? sink->ops->local->identify(find_local(sink), identity, err)
               : 0;
}

void sink_stamp(const struct sink *sink, char stamp[FILE_STAMP_BYTES])
{
    const struct local_sink *local = find_local(sink);

    if (!local || !file_stamp(local->file.fd, stamp))
        stamp[0] = '\0';
}

char *sink_state_path(const struct sink *sink, const char *directory)
{
    if (!sink->ops->local || (!directory && sink_is_device(sink)))
        return NULL;
    return target_path_state(sink->options.path, directory);
}

uint64_t sink_allocated_bytes(const struct sink *sink)
{
    const struct local_sink *local = find_local(sink);
    struct stat st;

    return local && !local->file.is_block_device &&
                   fstat(local->file.fd, &st) == 0
               ? (uint64_t)st.st_blocks * 512
               : 0;
}

void sink_report_local(const struct sink *sink, struct sink_report *report)
{
    const struct local_sink *local = find_local(sink);

    if (!local)
        return;
    report->mode = local->file.mode;
    report->sector_bytes = local->file.sector_bytes;
    if (!sink->reads_zero && sink->preallocation) /* prepared */
        report->zero_method = zeroer_name(&local->zeroer);
}

/* ---- what it holds ---- */

bool sink_describe(const struct sink *sink, char *buf, size_t len)
{
    const struct local_sink *local = find_local(sink);

    return local && blkid_probe_describe(local->file.fd, local->file.size_bytes,
                                         buf, len);
}

bool sink_tail_is_blank(const struct sink *sink, uint64_t begin)
{
    const struct local_sink *local = find_local(sink);

    return !local || begin >= local->file.size_bytes ||
           blkid_probe_reads_zero(local->file.fd, begin,
                                  local->file.size_bytes);
}

size_t sink_partition_starts(const struct sink *sink, uint64_t *starts,
                             size_t max)
{
    const struct local_sink *local = find_local(sink);

    return local ? blkid_probe_starts(local->file.fd, starts, max) : 0;
}

void sink_drop_cache(const struct sink *sink)
{
    const struct local_sink *local = find_local(sink);
    int r = local ? posix_fadvise(local->file.fd, 0, 0, POSIX_FADV_DONTNEED)
                  : 0;

    if (r != 0)
        log_debug("drop %s from the page cache: %s", sink->options.path,
                  strerrordesc_np(r));
}
