/*
 * gzip.h - a gzip file as a stream: any number of members, each checked
 * against its CRC-32 and length.
 *
 * gzip does not record the decoded size.  Unless the caller knows the size,
 * the whole file is decoded once.  That pass proves every checksum and records
 * restart points (32 KiB of history each, at most 16 MiB in all).  Any number
 * of lanes may then decode different parts.
 */
#ifndef CW_IMAGE_STREAM_GZIP_H
#define CW_IMAGE_STREAM_GZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "image/stream/stream.h"

struct gzip_options {
    struct file *file;      /* moved, also on failure */
    struct peek_pipe *pipe; /* borrowed; read instead of file unless NULL */
    const char *path;       /* for the log */

    /*
     * The decoded size, if known: the file is then decoded in one forward
     * pass, and any other size is an error. 0: found by decoding; not possible
     * for a pipe unless it is read with next().
     */
    uint64_t size_bytes;

    /* Read with next(): the size and the restart points are known at the end.
     * A pipe has no restart points. */
    bool is_forward;

    /* NULL, or a stream of the same file that stays open longer. */
    const struct stream *like;
};

int gzip_open(const struct gzip_options *options, struct stream **stream,
              struct error *err);

#endif
