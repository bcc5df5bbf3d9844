/* zstd_sequential.h - a zstd file from a pipe: any number of frames, decoded
 * once, from front to back.  Frame checksums are verified where present. */
#ifndef CW_IMAGE_STREAM_ZSTD_SEQUENTIAL_H
#define CW_IMAGE_STREAM_ZSTD_SEQUENTIAL_H

#include "image/stream/stream.h"

/* pipe is borrowed.  Only for stream_next().  Fails with ERROR_SYSTEM. */
int zstd_sequential_open(struct peek_pipe *pipe, struct stream **stream,
                         struct error *err);

#endif
