/* plain.h - the bytes of a pipe as a stream: a raw disk on standard input. */
#ifndef CW_IMAGE_STREAM_PLAIN_H
#define CW_IMAGE_STREAM_PLAIN_H

#include "image/stream/stream.h"

/* pipe is borrowed. size_bytes: the exact size of the input, or
 * STREAM_SIZE_UNKNOWN.  Fails with ERROR_SYSTEM. */
int plain_open(struct peek_pipe *pipe, uint64_t size_bytes,
               struct stream **stream, struct error *err);

#endif
