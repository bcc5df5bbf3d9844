/*
 * sequential.h - a QCOW2 read in order, as an image that returns its chunks in
 * its own order.  The stream is decoded once, and, if possible, again for the
 * chunks that were missed.
 */
#ifndef CW_IMAGE_QCOW2_SEQUENTIAL_H
#define CW_IMAGE_QCOW2_SEQUENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "image/qcow2/header.h"
#include "image/stream/stream.h"

/* The head that is examined before a pipe is consumed: half of what the pipe
 * can return twice, since compressed input may be longer than its content. */
#define QCOW2_SEQUENTIAL_HEAD_BYTES 32768U

/* Checks the header in the first head_len bytes: QCOW2_SEQUENTIAL_HEAD_BYTES,
 * or the whole image.  Fails as qcow2_header_read(). */
int qcow2_sequential_header(const uint8_t *head, size_t head_len,
                            struct qcow2_header *header, struct error *err);

/*
 * header: checked, without a backing file. stream, at its beginning, is moved,
 * also on failure; NULL: the image only serves as options->like of others, and
 * is not read.
 *
 * again: the xz file from which missed chunks are read, moved, also on
 * failure. Closed: the stream does this itself (gzip), or it is impossible (a
 * pipe).
 */
int qcow2_sequential_open(const struct image_options *options,
                          const struct qcow2_header *header,
                          struct stream *stream, struct file *again,
                          struct image **img, struct error *err);

/* The header that was given to qcow2_sequential_open(). */
const struct qcow2_header *qcow2_sequential_like(const struct image *img);

#endif
