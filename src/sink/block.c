/* A disk on a block device, claimed with O_EXCL while it is written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/iszero.h"
#include "base/log.h"
#include "io/device_in_use.h"
#include "sink/local_sink.h"

/* --target-is-zero is checked in this many samples, evenly spread. */
#define SAMPLE_COUNT 256U
#define SAMPLE_BYTES (UINT64_C(64) << 10)

static struct sizing_facts device_facts(const struct sink_options *options,
                                        uint64_t device_bytes)
{
    return (struct sizing_facts){
        .wanted_bytes = options->size_bytes,
        .grow = options->size_max,
        .is_block_device = true,
        .available_bytes = device_bytes,
    };
}

static int plan(const struct sink_options *options, uint64_t virtual_bytes,
                uint64_t device_bytes, struct sizing_verdict *verdict,
                struct error *err)
{
    struct sizing_facts facts = device_facts(options, device_bytes);

    facts.virtual_bytes = virtual_bytes;
    return sizing_plan(&facts, verdict, err);
}

static bool is_read_only(dev_t device)
{
    char path[64];
    int flag;
    FILE *stream;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/ro", major(device),
             minor(device));
    stream = fopen(path, "re");
    flag = stream ? fgetc(stream) : EOF;
    if (stream)
        fclose(stream);
    return flag == '1';
}

static int refuse_read_only(const char *path, struct error *err)
{
    return error_set(err, ERROR_TARGET_IO, EROFS, "open %s for writing", path);
}

static int refuse_device(const struct sink_options *options, dev_t device,
                         int r, struct error *err)
{
    const struct storage disk = device_stack_device(device);
    char why[PATH_MAX + 128];

    switch (-r) {
    case EBUSY:
        if (!device_in_use_find(&disk, why, sizeof(why)))
            snprintf(why, sizeof(why),
                     "in use (mounted elsewhere, or held by another program)");
        return error_set(err, ERROR_REFUSED, 0, "%s is %s", options->path, why);
    case EROFS:
    case EACCES:
    case EPERM:
        if (r == -EROFS || is_read_only(device))
            return refuse_read_only(options->path, err);
        return error_set(err, ERROR_TARGET_IO, -r,
                         "open %s for writing (in a pod: needs fsGroup, or "
                         "device_ownership_from_security_context in the "
                         "container runtime)",
                         options->path);
    case EOPNOTSUPP:
        return error_set(err, ERROR_TARGET_IO, 0,
                         "open %s: no %s I/O on this device", options->path,
                         file_mode_name(options->mode));
    default:
        return error_set(err, ERROR_TARGET_IO, -r, "open %s for writing",
                         options->path);
    }
}

int sink_plan_block(const struct sink_options *options,
                    const struct target_path *place, uint64_t virtual_bytes,
                    struct sizing_verdict *verdict, struct error *err)
{
    const struct storage disk = device_stack_device(place->device);
    char why[PATH_MAX + 128];
    struct file file;
    int r;

    if (device_in_use_find(&disk, why, sizeof(why)))
        return error_set(err, ERROR_REFUSED, 0, "%s is %s", options->path, why);
    if (is_read_only(place->device))
        return refuse_read_only(options->path, err);
    r = file_open(&file, options->path, O_RDONLY, 0, CW_IO_MODE_BUFFERED);
    if (r < 0)
        return refuse_device(options, place->device, r, err);
    file_close(&file);
    return plan(options, virtual_bytes, file.size_bytes, verdict, err);
}

/* ---- --target-is-zero ---- */

static int read_sample(const struct local_sink *local, uint8_t *buf,
                       uint64_t offset, size_t len, struct error *err)
{
    size_t done = 0;

    while (done < len) {
        int fd = file_fd_for(&local->file, buf + done, len - done,
                             offset + done);
        ssize_t n = pread(fd, buf + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_at(
                err, ERROR_TARGET_IO, n < 0 ? errno : EIO, offset + done,
                "read %zu bytes at %" PRIu64 " of %s", len - done,
                offset + done, local->sink.options.path);
        done += (size_t)n;
    }
    return 0;
}

static int check_sample(const struct local_sink *local, uint8_t *buf,
                        uint64_t offset, size_t len, struct error *err)
{
    size_t i = 0;

    if (read_sample(local, buf, offset, len, err) < 0)
        return -1;
    if (iszero(buf, len))
        return 0;
    while (buf[i] == 0)
        i++;
    return error_set_at(err, ERROR_REFUSED, 0, offset + i,
                        "--target-is-zero: %s is not zero at %" PRIu64,
                        local->sink.options.path, offset + i);
}

/* The samples include the first and last bytes, where tables and labels are. */
static int check_zero(const struct local_sink *local, uint64_t bytes,
                      struct error *err)
{
    AUTO_FREE uint8_t *buf = aligned_alloc(SAMPLE_BYTES, SAMPLE_BYTES);
    uint64_t last, step;

    if (!buf)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "sample %s",
                         local->sink.options.path);
    if (bytes <= SAMPLE_BYTES)
        return bytes ? check_sample(local, buf, 0, (size_t)bytes, err) : 0;

    last = bytes - SAMPLE_BYTES;
    step = last / (SAMPLE_COUNT - 1) & ~(SAMPLE_BYTES - 1);
    if (step == 0)
        step = SAMPLE_BYTES;
    for (uint64_t at = 0; at < last; at += step)
        if (check_sample(local, buf, at, SAMPLE_BYTES, err) < 0)
            return -1;
    return check_sample(local, buf, last, SAMPLE_BYTES, err);
}

/* ---- the sink ---- */

static int prepare_block(struct local_sink *local, struct error *err)
{
    struct sink *sink = &local->sink;
    const struct sink_options *options = &sink->options;

    if (plan(options, sink->virtual_bytes, local->file.size_bytes, &sink->size,
             err) < 0)
        return -1;
    local->end_bytes = options->keep_tail ? sink->size.disk_bytes
                                          : local->file.size_bytes;
    if (options->target_is_zero && !sink->is_touched &&
        check_zero(local, local->end_bytes, err) < 0)
        return -1;
    preallocate_block(local);
    return 0;
}

static int prepare_block_stream(struct local_sink *local, uint64_t *max_bytes,
                                struct error *err)
{
    *max_bytes = local->sink.virtual_bytes = local->file.size_bytes;
    if (prepare_block(local, err) < 0)
        return -1;
    sink_keep_left(local, *max_bytes);
    return 0;
}

static int resume_block(struct local_sink *local, uint64_t disk_bytes,
                        struct error *err)
{
    if (prepare_block(local, err) < 0)
        return -1;
    if (local->sink.size.disk_bytes != disk_bytes)
        return error_set(
            err, ERROR_REFUSED, 0,
            "%s: the disk was to have %" PRIu64 " bytes, now %" PRIu64,
            local->sink.options.path, disk_bytes, local->sink.size.disk_bytes);
    return 0;
}

/* A device has a fixed size, and only one content. */
static int block_prepare(struct sink *sink, const struct sink_room *room,
                         struct error *err)
{
    struct local_sink *local = local_of(sink);

    switch (room->kind) {
    case SINK_ROOM_NEW: return prepare_block(local, err);
    case SINK_ROOM_STREAM:
        return prepare_block_stream(local, room->max_bytes, err);
    case SINK_ROOM_RESUME: return resume_block(local, room->disk_bytes, err);
    case SINK_ROOM_ADOPT:
        atomic_store(&sink->is_touched, true);
        return prepare_block(local, err) < 0 ? -1 : 1;
    case SINK_ROOM_SETTLE: break;
    }
    return 0;
}

static int block_facts(struct local_sink *local, struct sizing_facts *facts,
                       struct error *err)
{
    (void)err;
    *facts = device_facts(&local->sink.options, local->file.size_bytes);
    return 0;
}

static const char *block_content_path(const struct local_sink *local)
{
    return local->sink.options.path;
}

static int block_identify(const struct local_sink *local, char *identity,
                          struct error *err)
{
    struct stat st;

    if (fstat(local->file.fd, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s",
                         local->sink.options.path);
    identify_device(st.st_rdev, local->file.size_bytes, identity);
    return 0;
}

static void block_close(struct sink *sink)
{
    int r = file_close(&local_of(sink)->file);

    if (r < 0)
        log_warn("close %s: %s", sink->options.path, strerrordesc_np(-r));
    free(sink);
}

static const struct local_ops block_local_ops = {
    .facts = block_facts,
    .content_path = block_content_path,
    .identify = block_identify,
};

static const struct sink_ops block_ops = {
    .kind = "block",
    .local = &block_local_ops,
    .prepare = block_prepare,
    .write = local_sink_write,
    .zero = local_sink_zero,
    .flush = local_sink_flush,
    .close = block_close,
};

/* A source that reads the device holds a shared lock on its node, because
 * O_EXCL would also keep other readers out (source_guard.h). */
static int lock_out_readers(const struct local_sink *s, struct error *err)
{
    if (device_in_use_lock(s->file.fd, true))
        return 0;
    return error_set(err, ERROR_REFUSED, 0,
                     "%s is in use: another program reads it and has locked it",
                     s->sink.options.path);
}

int sink_open_block(const struct sink_options *options,
                    const struct target_path *place, struct sink **sink,
                    struct error *err)
{
    AUTO_FREE struct local_sink *s = calloc(1, sizeof(*s));
    int r, read_only = 0;

    if (!s)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    s->sink.ops = &block_ops;
    s->sink.options = *options;
    r = file_open(&s->file, options->path, O_RDWR | O_EXCL, 0, options->mode);
    if (r < 0)
        return refuse_device(options, place->device, r, err);
    if (sink_check_guest(options->path, err) < 0 ||
        lock_out_readers(s, err) < 0) {
        file_close(&s->file);
        return -1;
    }
    /* Some drivers refuse only the first write. */
    if (ioctl(s->file.fd, BLKROGET, &read_only) == 0 && read_only) {
        file_close(&s->file);
        return refuse_read_only(options->path, err);
    }
    *sink = &TAKE_PTR(s)->sink;
    return 0;
}
