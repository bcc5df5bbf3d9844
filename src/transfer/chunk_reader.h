/*
 * chunk_reader.h - a lane's walk over the image: which chunk comes next, what of it
 * is mapped, and the reads that fetch that.
 *
 *   chunk_reader_next -> chunk_start -> image_read ... io_queue_reap -> chunk_run_end
 */
#ifndef CW_TRANSFER_CHUNK_READER_H
#define CW_TRANSFER_CHUNK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"
#include "io/io_queue.h"
#include "plan/chunk_grid.h"
#include "plan/work_queue.h"

/*
 * A hole smaller than this between two pieces of data of a chunk is read
 * with them: one larger read beats two small ones.  So a chunk takes at most
 * CHUNK_READS_MAX reads.
 */
#define CHUNK_GAP_BYTES UINT64_C(65536)
#define CHUNK_READS_MAX (CHUNK_BYTES / CHUNK_GAP_BYTES + 1)

/* A chunk on its way out of the image. */
struct chunk {
    uint8_t *buf; /* leased by the lane; NULL when free */
    uint64_t index;
    size_t len;            /* bytes of the chunk */
    uint64_t mapped_bytes; /* of them, mapped as data */
    unsigned blank;        /* leaves (zero_mask.h) of which nothing is read */
    unsigned pending;      /* reads in flight */
    unsigned read_count;   /* 0: nothing is mapped, it is zero */
    struct io reads[CHUNK_READS_MAX];
};

/* Of one lane; zeroed, then the first three filled by it. */
struct chunk_reader {
    struct work_queue *work; /* borrowed, shared by the lanes */
    struct image *image;     /* borrowed */
    uint64_t virtual_bytes;
    struct work_queue_range range; /* not yet looked at */
    struct extent_list extents;    /* of the range as it was taken */
    size_t extent; /* first that may reach into the next chunk */
};

/* Where the first of count chunks begins that are being read. */
uint64_t chunk_oldest_offset(const struct chunk *chunks, unsigned count);

/* How many chunks of image belong together, for work_queue_init(): a block of a
 * container that is decoded from its beginning; 1: none do. */
uint64_t chunk_reader_step(const struct image *image);

/*
 * Plans the reads of the next chunk into buf (leased; of a whole chunk).
 * 1; 0: the cursor is empty; -1: the image has no map.
 */
int chunk_reader_next(struct chunk_reader *chunks, struct chunk *chunk,
                      uint8_t *buf, struct error *err);

void chunk_reader_fini(struct chunk_reader *chunks);

/* Blanks or clears what is not read and starts the reads; their owner is
 * chunk. */
void chunk_start(struct chunk *chunk, struct image *image);

/* Clears the blank leaves, for who wants all bytes. */
void chunk_clear(struct chunk *chunk);

/* The end of the run of data or zero grains that begins at at, in a chunk of
 * len bytes at buf whose leaves in blank are zero. */
size_t chunk_run_end(const uint8_t *buf, size_t len, unsigned blank, size_t at,
                     bool *is_zero);

#endif
