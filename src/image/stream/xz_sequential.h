/*
 * xz_sequential.h - an xz file that one lane decodes once, from front to back:
 * from a pipe, or because its content is out of order.  Each block is checked
 * at its end, and the index at the end against all blocks.
 *
 * Blocks that record their size (xz -T, pixz) may be decoded by one thread per
 * CPU, as far as memory allows.
 */
#ifndef CW_IMAGE_STREAM_XZ_SEQUENTIAL_H
#define CW_IMAGE_STREAM_XZ_SEQUENTIAL_H

#include "image/stream/stream.h"

/*
 * pipe is borrowed; NULL: file is read. file is moved, also on failure.
 * size_bytes: the exact decoded size, which the file records only at its end,
 * or STREAM_SIZE_UNKNOWN.
 *
 * in_threads: reads further ahead than it decodes, so not for probing the head
 * of a pipe.  Fails with ERROR_SYSTEM.
 */
int xz_sequential_open(struct file *file, struct peek_pipe *pipe,
                       uint64_t size_bytes, bool in_threads,
                       struct stream **stream, struct error *err);

#endif
