/* chunk.h - a chunk of a disk in a buffer, and which of its bytes are zero. */
#ifndef CW_TRANSFER_CHUNK_H
#define CW_TRANSFER_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"
#include "plan/block_set.h"
#include "plan/chunk_grid.h"

/*
 * A hole smaller than this between two data extents of a chunk is read with
 * them: one large read beats two small ones.  So a chunk takes at most
 * CHUNK_READS_MAX reads.
 */
#define CHUNK_GAP_BYTES UINT64_C(65536)
#define CHUNK_READS_MAX (CHUNK_BYTES / CHUNK_GAP_BYTES + 1)

/* A chunk of the disk in a buffer. */
struct chunk {
    uint8_t *buf; /* leased; NULL: this slot is free */
    uint64_t index;
    size_t len;            /* bytes of the chunk */
    uint64_t mapped_bytes; /* of them, mapped as data */
    unsigned blank;        /* leaves (zero_mask.h) whose bytes are not in buf */
    struct block_set zero; /* after chunk_find_zero() */
    unsigned pending;      /* reads in flight */
    unsigned read_count;   /* 0: nothing is mapped, the chunk is zero */
    struct io reads[CHUNK_READS_MAX];
};

/* Clears the blank leaves, for users that need every byte. */
void chunk_clear(struct chunk *chunk);

/*
 * Scans the chunk once: puts its zero blocks (4 KiB) into chunk->zero, and adds
 * leaves that are zero to chunk->blank, so that they are not digested.  True if
 * all of it is zero.
 */
bool chunk_find_zero(struct chunk *chunk);

#endif
