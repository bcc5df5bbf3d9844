/*
 * disk_scan.h - reads a disk from end to end and digests it, by one thread with
 * several reads in flight.  For a target that looks at what it holds already,
 * or at what it has just written, and for --digest.
 */
#ifndef CW_TRANSFER_DISK_SCAN_H
#define CW_TRANSFER_DISK_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"
#include "io/io_queue.h"
#include "plan/chunk_bitmap.h"
#include "record/digest.h"

struct disk_scan {
    struct image_options image; /* without a ring */
    enum io_engine engine;      /* as of io_queue_open() */
    uint64_t virtual_bytes;     /* of it, from the beginning; 0: all */
    const uint64_t *chosen;     /* borrowed: these chunks; NULL: all */
    size_t chosen_count;
    const struct chunk_bitmap *skip; /* NULL, or: chunks not to look at */
    const atomic_bool *stop;         /* NULL, or: give up, ERROR_CANCELLED */
    _Atomic uint64_t *done_bytes;    /* NULL, or: counts what is digested */
    bool wants_sums;                 /* of grains, for found() */
    /* NULL, or: told of each chunk, in nearly ascending order, once it is in
     * the digest; leaves: NULL where it is all zero; sums: NULL there and
     * where they are not wanted.  It may block; -1 ends the survey. */
    int (*found)(void *opaque, uint64_t chunk, const uint8_t *leaves,
                 const uint8_t *sums, struct error *err);
    void *opaque;
};

/*
 * Fills digest, a table of virtual_bytes, or the chosen chunks of it.  Holes
 * are not read.  Errors as of image_open() and image_read().
 */
int disk_scan_run(const struct disk_scan *scan, struct digest *digest,
                  struct error *err);

#endif
