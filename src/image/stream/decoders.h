/* decoders.h - opens the streams: each function gives one that
 * stream_close() ends.  A file is moved, also on failure; a pipe is borrowed,
 * and read instead of the file unless it is NULL. */
#ifndef CW_IMAGE_STREAM_DECODERS_H
#define CW_IMAGE_STREAM_DECODERS_H

#include <stdbool.h>
#include <stdint.h>

#include "image/stream/stream.h"

/* The bytes of a pipe as they are: a raw disk on standard input.  size_bytes:
 * the exact size of the input, or STREAM_SIZE_UNKNOWN.  Fails with
 * ERROR_SYSTEM. */
int plain_open(struct peek_pipe *pipe, uint64_t size_bytes,
               struct stream **stream, struct error *err);

/*
 * A zstd file from a pipe: any number of frames, decoded once, from front to
 * back.  Frame checksums are verified where present.  Only for stream_next().
 * Fails with ERROR_SYSTEM.
 */
int zstd_sequential_open(struct peek_pipe *pipe, struct stream **stream,
                         struct error *err);

/*
 * An xz file: any number of streams and blocks, found through the index at the
 * end.  Each block is checked against its checksum.
 *
 * Every block is a restart point.  Any number of lanes may decode a file of
 * small blocks (xz -T, pixz).  A single large block is decoded only from front
 * to back.  Refuses a file that is cut off or has trailing garbage.
 */
int xz_open(struct file *file, struct stream **stream, struct error *err);

/*
 * An xz file that one lane decodes once, from front to back: from a pipe, or
 * because its content is out of order.  Each block is checked at its end, and
 * the index at the end against all blocks.  size_bytes: the exact decoded
 * size, which the file records only at its end, or STREAM_SIZE_UNKNOWN.
 *
 * in_threads: blocks that record their size (xz -T, pixz) are decoded by one
 * thread per CPU, as far as memory allows.  This reads further ahead than it
 * decodes, so it is not for probing the head of a pipe.  Fails with
 * ERROR_SYSTEM.
 */
int xz_sequential_open(struct file *file, struct peek_pipe *pipe,
                       uint64_t size_bytes, bool in_threads,
                       struct stream **stream, struct error *err);

struct gzip_options {
    struct file *file;
    struct peek_pipe *pipe;
    const char *path; /* for the log */

    /*
     * The decoded size, if known: the file is then decoded in one forward
     * pass, and any other size is an error.  0: found by decoding; not
     * possible for a pipe unless it is read with stream_next().
     */
    uint64_t size_bytes;

    /* Read with stream_next(): the size and the restart points are known at
     * the end.  A pipe has no restart points. */
    bool is_forward;

    /* NULL, or a stream of the same file that stays open longer. */
    const struct stream *like;
};

/*
 * A gzip file: any number of members, each checked against its CRC-32 and
 * length.
 *
 * gzip does not record the decoded size.  Unless the caller knows the size,
 * the whole file is decoded once.  That pass proves every checksum and records
 * restart points (32 KiB of history each, at most 16 MiB in all).  Any number
 * of lanes may then decode different parts.
 */
int gzip_open(const struct gzip_options *options, struct stream **stream,
              struct error *err);

#endif
