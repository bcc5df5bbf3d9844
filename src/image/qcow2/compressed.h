/*
 * compressed.h - compressed clusters of a QCOW2: read whole, unpacked
 * whole, the last one kept for who reads it in pieces.
 *
 * Synchronous: unpacking is what costs, and each lane has its own.
 */
#ifndef CW_IMAGE_QCOW2_COMPRESSED_H
#define CW_IMAGE_QCOW2_COMPRESSED_H

#include <stdint.h>

#include "image/qcow2/map.h"

struct qcow2_compressed;

/* For images of header's kind.  NULL when there is no memory. */
struct qcow2_compressed *qcow2_compressed_open(
    const struct qcow2_header *header);

/* Tolerates NULL and half-opened. */
void qcow2_compressed_close(struct qcow2_compressed *packed);

/*
 * Fills out with run->length bytes of a COMPRESSED run.  Fails with
 * ERROR_FORMAT when the cluster does not unpack to exactly its size, or with
 * what host->read said.
 */
int qcow2_compressed_read(struct qcow2_compressed *packed,
                          const struct qcow2_host *host,
                          const struct qcow2_run *run, uint8_t *out,
                          struct error *err);

#endif
