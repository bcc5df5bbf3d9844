/*
 * gzip.h - a gzip file as a stream: any number of members, each checked
 * against its CRC-32 and length.
 *
 * gzip does not say how much it holds, so unless the caller knows, the whole
 * file is decoded once.  That pass proves every checksum, and keeps places
 * to return to (32 KiB of history each, at most 16 MiB in all), so that
 * after it any number of lanes may decode different parts.
 */
#ifndef CW_IMAGE_STREAM_GZIP_H
#define CW_IMAGE_STREAM_GZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "image/stream/stream.h"

struct gzip_options {
    struct file *file;      /* moved, on failure too */
    struct peek_pipe *pipe; /* read instead of file, borrowed; NULL: file */
    const char *path;       /* for the log */

    /* What it holds, if known: then it is decoded in one pass, forward, and
     * holding more or less is an error.  0: found out, never of a pipe that
     * is not read with next(). */
    uint64_t size_bytes;

    /* Read with next(): its size is known, and its places to return to, when
     * that has come to the end.  A pipe keeps no places. */
    bool is_forward;

    /* NULL, or the stream of the same file, open for longer. */
    const struct stream *like;
};

int gzip_open(const struct gzip_options *options, struct stream **stream,
              struct error *err);

#endif
