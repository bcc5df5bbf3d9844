/*
 * vdi.h - the header and block map of a VDI (VirtualBox): dynamic and fixed
 * images.  Undo and differencing images are refused.
 */
#ifndef CW_IMAGE_VDI_VDI_H
#define CW_IMAGE_VDI_VDI_H

#include "image/block_map/block_map.h"
#include "image/format.h"

extern const struct block_format vdi_format;

/* As struct format says. */
int vdi_describe(const struct image_host *host, struct format_header *header,
                 struct error *err);
int vdi_open(struct layer *layer, struct image **img, struct error *err);

#endif
