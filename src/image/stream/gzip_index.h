/*
 * gzip_index.h - restart points of a gzip file: the bit position, and the 32
 * KiB of output that deflate may refer to.
 *
 * One pass makes the index.  After that it is read-only, and lanes share it.
 */
#ifndef CW_IMAGE_STREAM_GZIP_INDEX_H
#define CW_IMAGE_STREAM_GZIP_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GZIP_WINDOW_BYTES 32768U

struct gzip_point {
    uint64_t out;     /* offset of the next decoded byte */
    uint64_t in;      /* offset of the next byte of the file */
    uint8_t bits;     /* of the byte before it that are still to come */
    bool is_member;   /* a member's header begins here; no history */
    uint8_t *history; /* owned; GZIP_WINDOW_BYTES or less */
    uint32_t history_len;
};

struct gzip_index {
    struct gzip_point *items; /* ascending by out; the first is the start */
    size_t count;
    uint64_t spacing_bytes; /* of output; grows with the file */
};

/* NULL: out of memory. */
struct gzip_index *gzip_index_open(void);

/* Tolerates NULL. */
void gzip_index_close(struct gzip_index *points);

/* Is a point at out far enough from the last one? */
bool gzip_index_wants(const struct gzip_index *points, uint64_t out);

/* Adds a copy of point and of its history.  When the index is full, every
 * second point is dropped.  False: out of memory. */
bool gzip_index_add(struct gzip_index *points, const struct gzip_point *point);

/* The last point at or before out. */
const struct gzip_point *gzip_index_find(const struct gzip_index *points,
                                         uint64_t out);

#endif
