/*
 * xz_sequential.h - an xz file that is decoded once, from front to back, for one
 * lane: through a pipe, or because what is in it lies out of order.  Each
 * block is checked as it ends, and the index at the end against them all.
 *
 * Blocks that say their size (xz -T, pixz) may be decoded by a thread for
 * each CPU, as many as memory allows.
 */
#ifndef CW_IMAGE_STREAM_XZ_SEQUENTIAL_H
#define CW_IMAGE_STREAM_XZ_SEQUENTIAL_H

#include "image/stream/stream.h"

/*
 * pipe is borrowed; NULL: file is read, which is moved, on failure too.
 * size_bytes: what it must unpack to, no byte more or less; it would say so
 * itself only at its end.  Or STREAM_SIZE_UNKNOWN.
 *
 * in_threads: reads further ahead than it decodes, so not for a look at the
 * head of a pipe.  Fails with ERROR_SYSTEM.
 */
int xz_sequential_open(struct file *file, struct peek_pipe *pipe,
                       uint64_t size_bytes, bool in_threads,
                       struct stream **stream, struct error *err);

#endif
