/* raw.h - a raw disk, as format.open(). */
#ifndef CW_IMAGE_RAW_H
#define CW_IMAGE_RAW_H

#include "image/format.h"

/* In a regular file or on a block device. */
int raw_open(struct layer *layer, struct image **img, struct error *err);

/* In a stream.  The whole disk is data: decoding it is the only way to find
 * its zeros. */
int raw_stream_open(struct layer *layer, struct image **img, struct error *err);

#endif
