/*
 * chunk_merge.h - a chunk that a target puts together of what has come and of what
 * stays on its disk, whole leaves or, behind PATCH, grains.
 *
 *   frames came: data in the buffer, grains that stay in the set
 *      -> leaves that stay as a whole: known by their digests, not read
 *      -> others that stay in part: read into the gaps of the buffer
 *      -> the chunk's digest, which PATCH has foretold
 *
 * So nothing is written before it is known that the sums of grains, which are
 * short, have not deceived.
 */
#ifndef CW_RESUME_CHUNK_MERGE_H
#define CW_RESUME_CHUNK_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"
#include "plan/block_set.h"
#include "record/digest.h"

/* Runs that stay and others alternate, and each is a grain at least. */
#define CHUNK_MERGE_READS_MAX (BLOCK_SET_MAX / 2 + 1)

struct chunk_merge {
    struct block_set same; /* they stay */
    bool is_foretold;      /* PATCH came: they need not be whole leaves */
    uint8_t wanted[DIGEST_MAX_BYTES]; /* then: digest of the chunk */
    unsigned read_count;
    struct io reads[CHUNK_MERGE_READS_MAX];
};

/* A chunk of which nothing stays, so far. */
void chunk_merge_start(struct chunk_merge *merge);

/* [begin, end) of the chunk stays; begin is at a grain. */
void chunk_merge_keep(struct chunk_merge *merge, size_t begin, size_t end);

/* The leaves of a chunk of len bytes that stay as a whole: a bit for each. */
unsigned chunk_merge_leaves(const struct chunk_merge *merge, size_t len);

/* Fills patch->reads: the gaps of buf (at disk offset base) that are needed
 * for the digests of leaves which stay in part.  How many. */
unsigned chunk_merge_plan_reads(struct chunk_merge *merge, uint8_t *buf,
                                uint64_t base, size_t len, void *owner);

#endif
