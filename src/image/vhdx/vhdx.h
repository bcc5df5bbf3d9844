/*
 * vhdx.h - the headers, regions, metadata and block allocation table of a VHDX
 * (Hyper-V): dynamic and fixed images.  Differencing images, and images with
 * entries in their log, are refused.
 */
#ifndef CW_IMAGE_VHDX_VHDX_H
#define CW_IMAGE_VHDX_VHDX_H

#include "image/block_map/block_map.h"
#include "image/format.h"

extern const struct block_format vhdx_format;

/* As struct format says. */
int vhdx_describe(const struct image_host *host, struct format_header *header,
                  struct error *err);
int vhdx_open(struct layer *layer, struct image **img, struct error *err);

#endif
