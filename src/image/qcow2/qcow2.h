/*
 * qcow2.h - a QCOW2 image as a disk: plain clusters come straight from the
 * host file through the I/O queue, compressed ones are decoded, all others are
 * zero.
 */
#ifndef CW_IMAGE_QCOW2_QCOW2_H
#define CW_IMAGE_QCOW2_QCOW2_H

#include "image/format.h"

/* As format.describe().  header->own is a struct qcow2_header. */
int qcow2_describe(const struct image_host *host, struct format_header *header,
                   struct error *err);

/* As format.open().  The whole map is checked before the disk is used, unless
 * that of options->like has been. */
int qcow2_open(struct layer *layer, struct image **img, struct error *err);

/*
 * Fills buf with the count numbered chunks, CHUNK_BYTES apart, in one pass
 * over the stream (see batch_read.h).  The image lies in a stream and has no
 * backing file. Blocks.
 */
int qcow2_read_chunks(struct image *img, const uint64_t *chunks, size_t count,
                      uint8_t *buf, struct error *err);

#endif
