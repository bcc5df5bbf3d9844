/*
 * block_image.h - an image of a block_map format as a disk: blocks come
 * straight from the host file through the I/O queue, or from a stream; packed
 * ones are decoded.
 */
#ifndef CW_IMAGE_BLOCK_MAP_BLOCK_IMAGE_H
#define CW_IMAGE_BLOCK_MAP_BLOCK_IMAGE_H

#include "image/block_map/block_map.h"
#include "image/format.h"

/* The describe() of a format, for struct format. */
int block_image_describe(const struct block_format *format,
                         const struct image_host *host,
                         struct format_header *header, struct error *err);

/*
 * The open() of a format.  The whole map is checked before the disk is used,
 * unless that of options->like has been.
 */
int block_image_open(const struct block_format *format, struct layer *layer,
                     struct image **img, struct error *err);

#endif
