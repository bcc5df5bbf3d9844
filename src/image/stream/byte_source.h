/* byte_source.h - bytes that arrive once and in order: from standard input, or
 * from the body of a request. */
#ifndef CW_IMAGE_STREAM_BYTE_SOURCE_H
#define CW_IMAGE_STREAM_BYTE_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct byte_source {
    /*
     * Reads up to len bytes into buf.  Returns their count (> 0), 0 at the
     * end, or -1 with *err.  Blocks until there is data.  Called by one thread
     * at a time, not always the same one; not called again after 0 or -1.
     */
    ssize_t (*read)(void *opaque, void *buf, size_t len, struct error *err);
    void *opaque; /* borrowed for the life of the reader, or: */

    /* Releases opaque when the reader ends.  NULL: it is borrowed. */
    void (*close)(void *opaque);
};

#endif
