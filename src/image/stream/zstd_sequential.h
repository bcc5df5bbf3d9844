/*
 * zstd_sequential.h - a zstd file that comes through a pipe: any number of frames,
 * decoded once, from front to back, with the checksums that they have.
 */
#ifndef CW_IMAGE_STREAM_ZSTD_SEQUENTIAL_H
#define CW_IMAGE_STREAM_ZSTD_SEQUENTIAL_H

#include "image/stream/stream.h"

/* pipe is borrowed.  To be read with stream_next() only.  ERROR_SYSTEM. */
int zstd_sequential_open(struct peek_pipe *pipe, struct stream **stream,
                         struct error *err);

#endif
