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
 * A hole smaller than this between two data extents of a chunk is read with
 * them: one large read beats two small ones.  So a chunk takes at most
 * CHUNK_READS_MAX reads.
 */
#define CHUNK_GAP_BYTES UINT64_C(65536)
#define CHUNK_READS_MAX (CHUNK_BYTES / CHUNK_GAP_BYTES + 1)

/* A chunk that is being read from the image. */
struct chunk {
    uint8_t *buf; /* leased by the lane; NULL when free */
    uint64_t index;
    size_t len;            /* bytes of the chunk */
    uint64_t mapped_bytes; /* of them, mapped as data */
    unsigned blank;        /* leaves (zero_mask.h) that are not read */
    unsigned pending;      /* reads in flight */
    unsigned read_count;   /* 0: nothing is mapped, the chunk is zero */
    struct io reads[CHUNK_READS_MAX];
};

/* One per lane; the lane zeroes it and fills the first three fields. */
struct chunk_reader {
    struct work_queue *work; /* borrowed, shared by the lanes */
    struct image *image;     /* borrowed */
    uint64_t virtual_bytes;
    struct work_queue_range range; /* not yet looked at */
    struct extent_list extents;    /* of the range as it was taken */
    size_t extent; /* first that may reach into the next chunk */
};

/* Disk offset of the first of count chunks that is being read. */
uint64_t chunk_oldest_offset(const struct chunk *chunks, unsigned count);

/* How many chunks of image belong together, for work_queue_init(): those of a
 * container block that is decoded from its beginning; 1: none do. */
uint64_t chunk_reader_step(const struct image *image);

/*
 * Plans the reads of the next chunk into buf (leased; CHUNK_BYTES long).
 * 1; 0: the cursor is empty; -1: the map cannot be read.
 */
int chunk_reader_next(struct chunk_reader *chunks, struct chunk *chunk,
                      uint8_t *buf, struct error *err);

void chunk_reader_fini(struct chunk_reader *chunks);

/* Marks unread leaves as blank, clears other unread bytes, and starts the
 * reads; their owner is chunk. */
void chunk_start(struct chunk *chunk, struct image *image);

/* Clears the blank leaves, for callers that need every byte. */
void chunk_clear(struct chunk *chunk);

/* The end of the run of data or zero blocks (4 KiB) that begins at at, in a
 * chunk of len bytes at buf whose leaves in blank are zero. */
size_t chunk_run_end(const uint8_t *buf, size_t len, unsigned blank, size_t at,
                     bool *is_zero);

#endif
