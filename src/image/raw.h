/* raw.h - a raw disk in a regular file or on a block device. */
#ifndef CW_IMAGE_RAW_H
#define CW_IMAGE_RAW_H

#include "image/format.h"

/* As format.open(), for a file. */
int raw_open(struct layer *layer, struct image **img, struct error *err);

#endif
