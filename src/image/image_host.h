/* image_host.h - the bytes that hold an image, at any offset: a file, a device,
 * a decoded stream, or its first bytes. */
#ifndef CW_IMAGE_IMAGE_HOST_H
#define CW_IMAGE_IMAGE_HOST_H

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

#endif
