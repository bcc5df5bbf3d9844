/* vmdk_descriptor.h - the text inside a VMDK that says what kind it is.  Pure.
 */
#ifndef CW_IMAGE_VMDK_VMDK_DESCRIPTOR_H
#define CW_IMAGE_VMDK_VMDK_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct vmdk_descriptor {
    const char *type; /* "monolithicSparse" or "streamOptimized"; static */
    uint64_t extent_sectors; /* of the only extent */
};

/*
 * Parses text, a string.  Fails with ERROR_FORMAT if it has a parent, more
 * than one extent, or is of another type.
 */
int vmdk_descriptor_parse(const char *text, struct vmdk_descriptor *found,
                          struct error *err);

#endif
