/* tree.h - a directory as an image: the disk of tar/tree_index.h. */
#ifndef CW_IMAGE_TREE_TREE_H
#define CW_IMAGE_TREE_TREE_H

#include <stdbool.h>

#include "image/image.h"

/* Is options->path a directory? */
bool tree_image_is(const struct image_options *options);

/* As image_open(). */
int tree_image_open(const struct image_options *options, struct image **img,
                    struct error *err);

#endif
