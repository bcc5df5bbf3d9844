/*
 * check.h - one walk over a whole QCOW2 map before anything is sent:
 * every table entry is sound, and no host cluster is used twice.  Pure over
 * the map's read callback.
 */
#ifndef CW_IMAGE_QCOW2_CHECK_H
#define CW_IMAGE_QCOW2_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "image/qcow2/map.h"

struct qcow2_summary {
    uint64_t data_bytes; /* of the disk, from plain clusters */
    uint64_t compressed_clusters;
    uint64_t unallocated_bytes;
    bool overlaps_checked; /* false: too many clusters to remember */
};

/*
 * Fails with ERROR_FORMAT at the first entry no sound image has.  Needs two
 * bits per host cluster, at most 64 MiB while it runs; a larger image (16 TiB
 * at 64 KiB clusters) is only checked entry by entry.
 */
int qcow2_check(struct qcow2_map *map, struct qcow2_summary *summary,
                struct error *err);

#endif
