/* byte_source.h - bytes that come once and in order, from wherever they come:
 * standard input, the body of a request. */
#ifndef CW_IMAGE_STREAM_BYTE_SOURCE_H
#define CW_IMAGE_STREAM_BYTE_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct image_input {
    /*
     * Up to len bytes into buf: how many (> 0), 0 at the end, or -1 with *err.
     * Blocks until there are some.  Called by one thread at a time, but not
     * always by the same one; not again after its end or a failure.
     */
    ssize_t (*read)(void *opaque, void *buf, size_t len, struct error *err);
    void *opaque; /* borrowed for the life of what reads it */
};

#endif
