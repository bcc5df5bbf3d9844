/* disk_stream.h - a disk that arrives as a sequence of bytes. */
#ifndef CW_TRANSFER_DISK_STREAM_H
#define CW_TRANSFER_DISK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct disk_stream;

/*
 * Fills buf with len bytes, fewer only at the end of the disk; 0 after it.
 * *is_zero: all of them are zero, and buf was not written.  -1: *err.
 */
typedef ssize_t disk_stream_fill(struct disk_stream *stream, uint8_t *buf,
                                 size_t len, bool *is_zero, struct error *err);

struct disk_stream {
    disk_stream_fill *fill;
};

#endif
