/* Decides how to use what an earlier run has left on the disk. */
#include <fcntl.h>

#include "sink/sink_private.h"

bool sink_keep_left(struct sink *sink, uint64_t bytes)
{
    sink->left_bytes = 0;
    if (sink->options.preallocate != SINK_PREALLOCATE_OFF ||
        file_sync(&sink->file) < 0)
        return false;
    posix_fadvise(sink->file.fd, 0, 0, POSIX_FADV_DONTNEED);
    atomic_store(&sink->misses, 0);
    sink->left_bytes = bytes;
    return true;
}

void sink_distrust_zeros(struct sink *sink)
{
    if (!sink->reads_zero)
        return;
    sink->reads_zero = NULL;
    sink->zero_min = SINK_ZERO_MIN_BYTES;
}
