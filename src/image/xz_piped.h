/*
 * xz_piped.h - an xz file that comes through a pipe: decoded once, from front
 * to back, by one lane.  Each block is checked as it ends, and the index at
 * the end against them all.
 */
#ifndef CW_IMAGE_XZ_PIPED_H
#define CW_IMAGE_XZ_PIPED_H

#include "image/stream.h"

/*
 * pipe is borrowed.  size_bytes: what it must unpack to, no byte more or less;
 * it would say so itself only at its end.  Or STREAM_SIZE_UNKNOWN.  Fails with ERROR_SYSTEM.
 */
int xz_piped_open(struct pipe *pipe, uint64_t size_bytes,
                  struct stream **stream, struct error *err);

#endif
