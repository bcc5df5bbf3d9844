/*
 * qcow2.h - a QCOW2 image as a disk: plain clusters come straight from the
 * host file through the I/O queue, compressed ones are decoded, all others are
 * zero.
 */
#ifndef CW_IMAGE_QCOW2_QCOW2_H
#define CW_IMAGE_QCOW2_QCOW2_H

#include "image/image.h"
#include "image/stream/stream.h"

/*
 * The image lies in file, or in stream unless that is NULL.  Both are moved,
 * also on failure.
 *
 * depth: the number of images above this one in the backing chain.
 *
 * The whole map is checked before the disk is used, unless that of
 * options->like has been.
 */
int qcow2_open(const struct image_options *options, unsigned depth,
               struct file *file, struct stream *stream, struct image **img,
               struct error *err);

/*
 * Fills buf with the count numbered chunks, CHUNK_BYTES apart, in one pass
 * over the stream (see batch_read.h).  The image lies in a stream and has no
 * backing file. Blocks.
 */
int qcow2_read_chunks(struct image *img, const uint64_t *chunks, size_t count,
                      uint8_t *buf, struct error *err);

#endif
