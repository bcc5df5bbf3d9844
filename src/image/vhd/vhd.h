/*
 * vhd.h - the footer, header and block allocation table of a VHD (Virtual PC,
 * Hyper-V, Azure): dynamic and fixed images.  Differencing ones are refused.
 */
#ifndef CW_IMAGE_VHD_VHD_H
#define CW_IMAGE_VHD_VHD_H

#include "image/block_map/block_map.h"
#include "image/format.h"

extern const struct block_format vhd_format;

/* As struct format says. */
int vhd_describe(const struct image_host *host, struct format_header *header,
                 struct error *err);
int vhd_open(struct layer *layer, struct image **img, struct error *err);

#endif
