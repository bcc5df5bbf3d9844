/* raw_stream.h - a raw disk inside a compressed container. */
#ifndef CW_IMAGE_RAW_STREAM_H
#define CW_IMAGE_RAW_STREAM_H

#include "image/image.h"
#include "image/stream/stream.h"

/* stream is moved, on failure too.  All of the disk is data: which of it is
 * zero is only known when it has been decoded. */
int raw_stream_open(const struct image_options *options, struct stream *stream,
                    struct image **img, struct error *err);

#endif
