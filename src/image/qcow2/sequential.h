/*
 * sequential.h - a QCOW2 that comes in order, as an image that names its
 * chunks in an order of its own: decoded once, and again only for what went
 * by too early, where it can be.
 */
#ifndef CW_IMAGE_QCOW2_SEQUENTIAL_H
#define CW_IMAGE_QCOW2_SEQUENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "image/qcow2/header.h"
#include "image/stream/stream.h"

/* What is looked at before a pipe is read for good: half of what that can
 * give twice, for what is packed into more than it holds. */
#define QCOW2_SEQUENTIAL_HEAD_BYTES 32768U

/*
 * The gate, over the first head_len bytes: QCOW2_SEQUENTIAL_HEAD_BYTES, or all there
 * are.  Fails as qcow2_header_read().
 */
int qcow2_sequential_header(const uint8_t *head, size_t head_len,
                            struct qcow2_header *header, struct error *err);

/*
 * header: as the gate let it through, without a backing file.  stream, at its
 * beginning, is moved, on failure too; NULL: an image for others to be like,
 * of which nothing is read.
 *
 * again: the xz file to read what was missed from, moved, on failure too.
 * Closed: that is the stream's own business (gzip), or it cannot (a pipe).
 */
int qcow2_sequential_open(const struct image_options *options,
                          const struct qcow2_header *header,
                          struct stream *stream, struct file *again,
                          struct image **img, struct error *err);

/* What an image of qcow2_sequential_open() was opened with. */
const struct qcow2_header *qcow2_sequential_like(const struct image *img);

#endif
