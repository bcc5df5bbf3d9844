/* plain.h - the bytes of a pipe as a stream: a raw disk on standard input. */
#ifndef CW_IMAGE_STREAM_PLAIN_H
#define CW_IMAGE_STREAM_PLAIN_H

#include "image/stream/stream.h"

/*
 * pipe is borrowed.  size_bytes: what must come, no byte more or less;
 * or STREAM_SIZE_UNKNOWN.
 * NULL when there is no memory.
 */
struct stream *plain_open(struct peek_pipe *pipe, uint64_t size_bytes);

#endif
