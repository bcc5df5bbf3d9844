/*
 * batch_read.h - reads chunks of a QCOW2 in a stream, in the order of their
 * clusters there.  Seeking back in a stream means decoding again, so one pass
 * fetches all of them.
 */
#ifndef CW_IMAGE_QCOW2_BATCH_READ_H
#define CW_IMAGE_QCOW2_BATCH_READ_H

#include <stddef.h>
#include <stdint.h>

#include "image/qcow2/compressed.h"
#include "image/qcow2/map.h"

struct qcow2_batch {
    struct qcow2_map *map;         /* borrowed, as is everything below */
    const struct image_host *host; /* only forward reads are cheap */
    struct qcow2_compressed *packed;

    /* A file descriptor that becomes readable when the read must be abandoned,
     * which ends it with ERROR_CANCELLED. 0: none. */
    int stop_fd;
};

/* Fills buf with the count numbered chunks, CHUNK_BYTES apart.  The image has
 * no backing file.  Fails as the map and host->read() do. */
int qcow2_batch(const struct qcow2_batch *gather, const uint64_t *chunks,
                size_t count, uint8_t *buf, struct error *err);

#endif
