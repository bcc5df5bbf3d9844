/* raw_stream.h - a raw disk inside a compressed container. */
#ifndef CW_IMAGE_RAW_STREAM_H
#define CW_IMAGE_RAW_STREAM_H

#include "image/image.h"
#include "image/stream/stream.h"

/* stream is moved, also on failure.  The whole disk is data: decoding it is
 * the only way to find its zeros. */
int raw_stream_open(const struct image_options *options, struct stream *stream,
                    struct image **img, struct error *err);

#endif
