/* Reserves space, and so decides what zeros need. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sink/local_sink.h"

static int reserve(const struct local_sink *local)
{
    uint64_t bytes = local->sink.size.disk_bytes;

    /* fallocate(2) refuses a length of 0. */
    while (bytes > 0 && fallocate(local->file.fd, 0, 0, (off_t)bytes) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static bool is_unsupported(int r)
{
    return r == -EOPNOTSUPP || r == -ENOSYS || r == -ENODEV;
}

static void say_applied(const struct sink *sink)
{
    if (sink->options.preallocate == CW_PREALLOCATE_OFF)
        return;
    log_info("%s: preallocation %s%s%s", sink->options.path,
             sink->preallocation, sink->preallocation_why[0] ? ": " : "",
             sink->preallocation_why);
}

static void take_ladder(struct local_sink *local,
                        const struct zero_method *methods, bool must_allocate)
{
    zeroer_init(&local->zeroer, &local->file, local->sink.options.path, methods,
                must_allocate);
    local->zeroer.stop = &local->sink.stop;
}

static void want_every_block(struct local_sink *local)
{
    struct sink *sink = &local->sink;

    sink->preallocation = "full";
    sink->reads_zero = NULL;
    sink->zero_min = UINT64_MAX;
    take_ladder(local, zero_write_methods, true);
}

/* A new file: holes and reserved blocks already read as zero. */
static void want_holes(struct local_sink *local, const char *preallocation)
{
    struct sink *sink = &local->sink;

    sink->preallocation = preallocation;
    sink->reads_zero = "hole";
    sink->zero_min = 0;
    take_ladder(local, zero_file_methods, strcmp(preallocation, "off") != 0);
}

int preallocate_file(struct local_sink *local, struct error *err)
{
    struct sink *sink = &local->sink;
    enum cw_preallocate wish = sink->options.preallocate;
    int r;

    if (wish == CW_PREALLOCATE_OFF) {
        want_holes(local, "off");
        return 0;
    }
    /* Also for full: a lack of space shows now and not at the end. */
    r = reserve(local);
    if (r < 0 && !is_unsupported(r))
        return error_set(err,
                         sink_is_no_space(r) ? ERROR_NO_SPACE : ERROR_TARGET_IO,
                         -r, "reserve %" PRIu64 " bytes for %s",
                         sink->size.disk_bytes, sink->options.path);

    if (r == 0 && wish != CW_PREALLOCATE_FULL) {
        want_holes(local, "falloc");
    } else {
        want_every_block(local);
        if (r < 0 && wish != CW_PREALLOCATE_FULL)
            snprintf(sink->preallocation_why, sizeof(sink->preallocation_why),
                     "the filesystem cannot reserve space (%s)",
                     strerrordesc_np(-r));
    }
    say_applied(sink);
    return 0;
}

void preallocate_block(struct local_sink *local)
{
    struct sink *sink = &local->sink;
    enum cw_preallocate wish = sink->options.preallocate;

    if (wish == CW_PREALLOCATE_FULL) {
        want_every_block(local);
        say_applied(sink);
        return;
    }
    sink->preallocation = wish == CW_PREALLOCATE_OFF ? "off" : "falloc";
    sink->zero_min = SINK_ZERO_MIN_BYTES;
    take_ladder(local, zero_block_methods, wish != CW_PREALLOCATE_OFF);
    if (sink->options.target_is_zero && !sink->is_touched) {
        sink->reads_zero = "trusted";
        sink->zero_min = 0;
        if (wish != CW_PREALLOCATE_OFF) {
            sink->preallocation = "off";
            snprintf(sink->preallocation_why, sizeof(sink->preallocation_why),
                     "zeros of a device that is zero are not written");
        }
    }
    say_applied(sink);
}
