/*
 * compressed.h - reads and decodes the compressed clusters of a QCOW2.  The
 * last cluster is kept for callers that read it in pieces.
 *
 * Synchronous: decoding is the main cost, and each lane has its own decoder.
 */
#ifndef CW_IMAGE_QCOW2_COMPRESSED_H
#define CW_IMAGE_QCOW2_COMPRESSED_H

#include <stddef.h>
#include <stdint.h>

#include "image/qcow2/map.h"

struct qcow2_compressed;

/* For images with this header.  NULL: out of memory. */
struct qcow2_compressed *qcow2_compressed_open(
    const struct qcow2_header *header);

/* Tolerates NULL and half-opened. */
void qcow2_compressed_close(struct qcow2_compressed *packed);

/*
 * Fills out with run->length bytes of a COMPRESSED run.  Fails with
 * ERROR_FORMAT if the cluster does not decode to exactly its size, or with the
 * error of host->read().
 */
int qcow2_compressed_read(struct qcow2_compressed *packed,
                          const struct image_host *host,
                          const struct qcow2_run *run, uint8_t *out,
                          struct error *err);

/* The exact length in the file of the cluster decoded last, which its table
 * only has in sectors. */
size_t qcow2_compressed_used(const struct qcow2_compressed *packed);

#endif
