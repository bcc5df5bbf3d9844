/*
 * body.h - bytes that come in order, in pieces of any size: the body of a
 * request, or what is inside it.  Of one thread.
 */
#ifndef CW_HTTP_BODY_H
#define CW_HTTP_BODY_H

#include <sys/types.h>

#include "base/error.h"

struct body {
    /* The next piece at *data, good until the next call: its length (> 0), 0
     * at the end, -1 with *err.  Not called again after those. */
    ssize_t (*next)(void *opaque, const void **data, struct error *err);
    void *opaque; /* borrowed */

    /* The same bytes with a copy less, straight into buf: how many, len at
     * most.  A piece that next() gave must be used up.  NULL: not here. */
    ssize_t (*read)(void *opaque, void *buf, size_t len, struct error *err);
};

static inline ssize_t body_next(const struct body *body, const void **data,
                                struct error *err)
{
    return body->next(body->opaque, data, err);
}

#endif
