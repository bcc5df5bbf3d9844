/*
 * qcow2.h - a QCOW2 image as a disk: plain clusters straight from the host
 * file through the ring, compressed ones unpacked, everything else zero.
 */
#ifndef CW_IMAGE_QCOW2_QCOW2_H
#define CW_IMAGE_QCOW2_QCOW2_H

#include "image/image.h"
#include "image/stream/stream.h"

/*
 * The image lies in file, or, where stream is not NULL, in stream.  Both are
 * moved, on failure too.
 *
 * depth: how many images this one backs, one on the other.
 *
 * The whole map is checked before the disk is believed, unless
 * options->like has been.
 */
int qcow2_open(const struct image_options *options, unsigned depth,
               struct file *file, struct stream *stream, struct image **img,
               struct error *err);

/*
 * Fills buf with the chunks numbered, count of them, CHUNK_BYTES apart,
 * of an image in a stream and without a backing file, in one walk over the
 * stream (see batch_read.h).  Blocks.
 */
int qcow2_read_chunks(struct image *img, const uint64_t *chunks, size_t count,
                      uint8_t *buf, struct error *err);

#endif
