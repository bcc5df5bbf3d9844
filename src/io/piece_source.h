/*
 * piece_source.h - a stream of bytes in order, in pieces of any size: the body
 * of a request, or its content.  Belongs to one thread.
 */
#ifndef CW_IO_PIECE_SOURCE_H
#define CW_IO_PIECE_SOURCE_H

#include <sys/types.h>

#include "base/error.h"

struct piece_source {
    /*
     * Returns the length (> 0) of the next piece at *data, valid until the
     * next call; 0 at the end; -1 with *err.  Not called again after 0 or -1.
     */
    ssize_t (*next)(void *opaque, const void **data, struct error *err);
    void *opaque; /* borrowed */

    /*
     * Reads the same bytes directly into buf, with one copy less: returns
     * their number, at most len.  The caller must have consumed the piece of
     * next() first.  NULL: not supported.
     */
    ssize_t (*read)(void *opaque, void *buf, size_t len, struct error *err);
};

#endif
