/* What is known of a sink: a failed write, zeros, content of an earlier run. */
#include <fcntl.h>
#include <inttypes.h>

#include "sink/local_sink.h"

bool sink_keep_left(struct local_sink *local, uint64_t bytes)
{
    local->left_bytes = 0;
    if (local->sink.options.preallocate != CW_PREALLOCATE_OFF ||
        file_sync(&local->file) < 0)
        return false;
    posix_fadvise(local->file.fd, 0, 0, POSIX_FADV_DONTNEED);
    atomic_store(&local->misses, 0);
    local->left_bytes = bytes;
    return true;
}

void sink_distrust_zeros(struct sink *sink)
{
    if (!sink->reads_zero)
        return;
    sink->reads_zero = NULL;
    sink->zero_min = SINK_ZERO_MIN_BYTES;
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
