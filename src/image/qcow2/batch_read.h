/*
 * batch_read.h - chunks of a QCOW2 that lies in a stream, read in the order
 * in which their clusters lie there: going back in a stream means decoding
 * again, so what is wanted is fetched in one walk to its end.
 */
#ifndef CW_IMAGE_QCOW2_BATCH_READ_H
#define CW_IMAGE_QCOW2_BATCH_READ_H

#include <stddef.h>
#include <stdint.h>

#include "image/qcow2/compressed.h"
#include "image/qcow2/map.h"

struct qcow2_batch {
    struct qcow2_map *map;         /* borrowed, as is all below */
    const struct qcow2_host *host; /* cheap to read forward only */
    struct qcow2_compressed *packed;

    /* Readable once nobody waits for the bytes any more, which ends the walk
     * with ERROR_CANCELLED.  0: never. */
    int stop_fd;
};

/*
 * Fills buf with the chunks numbered, count of them, CHUNK_BYTES apart;
 * the image has no backing file.  Fails as its map and host->read() do.
 */
int qcow2_batch(const struct qcow2_batch *gather, const uint64_t *chunks,
                size_t count, uint8_t *buf, struct error *err);

#endif
