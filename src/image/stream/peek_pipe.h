/*
 * peek_pipe.h - a container that comes through an input: read once, in order, but
 * for a head that can be read again (who probes it reads first).
 *
 * Used by one thread at a time: the first image while it is opened, then the
 * one lane that reads it.
 */
#ifndef CW_IMAGE_STREAM_PEEK_PIPE_H
#define CW_IMAGE_STREAM_PEEK_PIPE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/stream/byte_source.h"

struct peek_pipe;

#define PEEK_PIPE_HEAD_BYTES (64U << 10)

/* *input is copied.  NULL when there is no memory. */
struct peek_pipe *peek_pipe_open(const struct image_input *input);

/* Tolerates NULL. */
void peek_pipe_close(struct peek_pipe *pipe);

/*
 * Up to len bytes at offset; 0 at the end.  Blocks.  -1 with *err: what the
 * input said, or ERROR_SOURCE_IO with ESPIPE: offset is not where the pipe
 * is, nor in the head while nothing behind it has been read.
 */
ssize_t peek_pipe_read(struct peek_pipe *pipe, void *buf, size_t len,
                       uint64_t offset, struct error *err);

#endif
