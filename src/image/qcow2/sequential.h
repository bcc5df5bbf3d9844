/*
 * sequential.h - a QCOW2 read in order, as an image that returns its chunks in
 * its own order.  The stream is decoded once, and, if possible, again for the
 * chunks that were missed.
 */
#ifndef CW_IMAGE_QCOW2_SEQUENTIAL_H
#define CW_IMAGE_QCOW2_SEQUENTIAL_H

#include "image/format.h"

/*
 * As format.open_in_order().  A file of xz gives missed chunks when it is
 * opened again; a stream of gzip does this itself; a pipe cannot.
 */
int qcow2_sequential_open(struct layer *layer, struct image **img,
                          struct error *err);

#endif
