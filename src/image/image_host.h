/* image_host.h - the bytes that hold an image, at any offset: a file, a device,
 * a decoded stream, or its first bytes. */
#ifndef CW_IMAGE_IMAGE_HOST_H
#define CW_IMAGE_IMAGE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct image_host {
    /* Fills buf with exactly len bytes at offset; -1 with *err. */
    int (*read)(void *opaque, void *buf, size_t len, uint64_t offset,
                struct error *err);
    void *opaque;        /* borrowed */
    uint64_t size_bytes; /* sampled once */
};

static inline int image_host_read(const struct image_host *host, void *buf,
                                  size_t len, uint64_t offset,
                                  struct error *err)
{
    return host->read(host->opaque, buf, len, offset, err);
}

/* Does the host have all of [offset, offset+length)? */
static inline bool image_host_has(const struct image_host *host,
                                  uint64_t offset, uint64_t length)
{
    return offset <= host->size_bytes && length <= host->size_bytes - offset;
}

#endif
