/* raw.h - the disk as it is, in a regular file or on a block device. */
#ifndef CW_IMAGE_RAW_H
#define CW_IMAGE_RAW_H

#include "image/image.h"

/* file is moved, on failure too. */
int raw_open(const struct image_options *options, struct file *file,
             struct image **img, struct error *err);

#endif
