/*
 * check.h - walks a whole QCOW2 map before anything is sent: every table entry
 * must be valid, and no host cluster may be used twice.  Pure over the map's
 * read callback.
 */
#ifndef CW_IMAGE_QCOW2_CHECK_H
#define CW_IMAGE_QCOW2_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "image/qcow2/map.h"

struct qcow2_summary {
    uint64_t data_bytes; /* of the disk, in uncompressed clusters */
    uint64_t compressed_clusters;
    uint64_t unallocated_bytes;
    bool overlaps_checked; /* false: too many clusters to track */
};

/*
 * Fails with ERROR_FORMAT at the first invalid entry.  Needs two bits per host
 * cluster, at most 64 MiB while it runs.  A larger image (16 TiB at 64 KiB
 * clusters) is only checked entry by entry.
 */
int qcow2_check(struct qcow2_map *map, struct qcow2_summary *summary,
                struct error *err);

#endif
