/*
 * disk_scan.h - reads and digests a disk from start to end, on one thread with
 * several reads in flight.  A target uses it on the data it already holds and
 * to verify what it has written; --digest uses it too.
 */
#ifndef CW_TRANSFER_DISK_SCAN_H
#define CW_TRANSFER_DISK_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "io/io_queue.h"
#include "plan/chunk_bitmap.h"
#include "record/digest.h"

struct disk_scan {
    struct image_options image; /* without an I/O queue */
    enum cw_io_engine engine;   /* as of io_queue_open() */
    uint64_t virtual_bytes;     /* bytes to scan, from the start; 0: all */
    const uint64_t *chosen;     /* borrowed: these chunks; NULL: all */
    size_t chosen_count;
    const struct chunk_bitmap *skip; /* NULL, or: chunks to skip */
    const atomic_bool
        *stop; /* NULL, or: when set, fails with ERROR_CANCELLED */
    _Atomic uint64_t *done_bytes; /* NULL, or: counts the bytes digested */
    bool wants_sums;              /* of blocks (4 KiB), for found() */
    /* NULL, or: called for each chunk, in nearly ascending order, once it is in
     * the digest.  leaves: NULL if it is all zero.  sums: NULL then, and if
     * not wanted.  It may block; -1 ends the scan. */
    int (*found)(void *opaque, uint64_t chunk, const uint8_t *leaves,
                 const uint8_t *sums, struct error *err);
    void *opaque;
};

/*
 * Fills digest, a table for virtual_bytes, or only its chosen chunks.  Does
 * not read holes.  Errors as of image_open() and image_read().
 */
int disk_scan_run(const struct disk_scan *scan, struct digest *digest,
                  struct error *err);

#endif
