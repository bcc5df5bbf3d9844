/* vhdx_header.h - what a VHDX says of itself: headers, region table, metadata.
 * All of it is checked: checksums, versions, and that it lies in the file. */
#ifndef CW_IMAGE_VHDX_VHDX_HEADER_H
#define CW_IMAGE_VHDX_VHDX_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/block_map/block_map.h"

struct vhdx_range {
    uint64_t offset;
    uint64_t length;
};

struct vhdx_header {
    struct vhdx_range log; /* holds no entries; may be empty */
    struct vhdx_range bat; /* block allocation table */
    struct vhdx_range metadata;
    uint32_t block_bytes; /* a power of 2 from 1 MiB to 256 MiB */
    uint32_t sector_bytes;
    uint64_t virtual_bytes;
    bool is_fixed;
};

/* Uses map->host only.  Fails with ERROR_FORMAT, or as the host's read does. */
int vhdx_header_read(const struct block_map *map, struct vhdx_header *header,
                     struct error *err);

#endif
