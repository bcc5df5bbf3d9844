/* raw.h - a raw disk in a regular file or on a block device. */
#ifndef CW_IMAGE_RAW_H
#define CW_IMAGE_RAW_H

#include "image/image.h"

/* file is moved, also on failure. */
int raw_open(const struct image_options *options, struct file *file,
             struct image **img, struct error *err);

#endif
