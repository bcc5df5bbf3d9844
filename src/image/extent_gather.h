/*
 * extent_gather.h - makes the extent list of an image from pieces in order.
 *
 * Zero runs are collected, and rounded to blocks (4 KiB) only when they end,
 * so that adjacent runs of 512 bytes still make a hole.
 */
#ifndef CW_IMAGE_EXTENT_GATHER_H
#define CW_IMAGE_EXTENT_GATHER_H

#include <stdint.h>

#include "image/sparse_map.h"
#include "plan/extent.h"

struct extent_gather {
    struct extent_list *out; /* borrowed */
    uint64_t virtual_bytes;  /* of the disk */
    struct extent zeros;     /* not in out yet */
};

int extent_gather_add(struct extent_gather *gather, const struct extent *piece,
                      struct error *err);

/*
 * Adds piece, which is stored at host_offset of the file of holes, without the
 * holes in it.  path is named in errors.
 */
int extent_gather_add_stored(struct extent_gather *gather,
                             struct sparse_map *holes,
                             const struct extent *piece, uint64_t host_offset,
                             const char *path, struct error *err);

/* Call once after the last piece. */
int extent_gather_end(struct extent_gather *gather, struct error *err);

#endif
