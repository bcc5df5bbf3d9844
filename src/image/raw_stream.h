/* raw_stream.h - a raw disk inside a compressed container. */
#ifndef CW_IMAGE_RAW_STREAM_H
#define CW_IMAGE_RAW_STREAM_H

#include "image/format.h"

/* As format.open(), for a stream.  The whole disk is data: decoding it is the
 * only way to find its zeros. */
int raw_stream_open(struct layer *layer, struct image **img, struct error *err);

#endif
