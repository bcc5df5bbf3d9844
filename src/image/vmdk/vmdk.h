/*
 * vmdk.h - the header, descriptor and grain tables of a VMDK in one file:
 * monolithicSparse and streamOptimized.  All other kinds are refused.
 */
#ifndef CW_IMAGE_VMDK_VMDK_H
#define CW_IMAGE_VMDK_VMDK_H

#include "image/block_map/block_map.h"
#include "image/format.h"

extern const struct block_format vmdk_format;

/* As struct format says. */
int vmdk_describe(const struct image_host *host, struct format_header *header,
                  struct error *err);
int vmdk_open(struct layer *layer, struct image **img, struct error *err);

#endif
