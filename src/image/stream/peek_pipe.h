/*
 * peek_pipe.h - a container that arrives through an input.  It is read once,
 * in order; only its head can be read again, after a probe.
 *
 * Used by one thread at a time: first by the image that opens it, then by the
 * one lane that reads it.
 */
#ifndef CW_IMAGE_STREAM_PEEK_PIPE_H
#define CW_IMAGE_STREAM_PEEK_PIPE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/stream/byte_source.h"

struct peek_pipe;

/* A block of zstd, at most 128 KiB, is decoded as a whole: two of them. */
#define PEEK_PIPE_HEAD_BYTES (256U << 10)

/* *input is copied.  NULL: out of memory, and input is not closed. */
struct peek_pipe *peek_pipe_open(const struct byte_source *input);

/* Tolerates NULL. */
void peek_pipe_close(struct peek_pipe *pipe);

/*
 * Reads up to len bytes at offset; returns 0 at the end.  Blocks. -1 with
 * *err: the input's error, or ERROR_SOURCE_IO with ESPIPE if offset is neither
 * the position of the pipe nor in the head, which is gone once later bytes
 * have been read.
 */
ssize_t peek_pipe_read(struct peek_pipe *pipe, void *buf, size_t len,
                       uint64_t offset, struct error *err);

#endif
