/*
 * chunk_merge.h - a chunk that a target makes of received data and of data that
 * stays on its disk: whole leaves or, after PATCH, blocks (4 KiB).
 *
 *   frames: data in the buffer, blocks that stay in the set
 *      -> leaves that stay as a whole: their digests are known, do not read them
 *      -> leaves that stay in part: read into the gaps of the buffer
 *      -> compare the chunk's digest with the one in PATCH
 *
 * The sums of blocks are short, so two different blocks may have the same sum.
 * The comparison finds that before anything is written.
 */
#ifndef CW_RESUME_CHUNK_MERGE_H
#define CW_RESUME_CHUNK_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"
#include "plan/block_set.h"
#include "record/digest.h"

/* Runs that stay and others alternate; each is at least one block. */
#define CHUNK_MERGE_READS_MAX (BLOCK_SET_MAX / 2 + 1)

struct chunk_merge {
    struct block_set same; /* blocks that stay */
    bool is_foretold;      /* after PATCH: parts of leaves stay, too */
    uint8_t wanted[DIGEST_MAX_BYTES]; /* in PATCH: digest of the chunk */
    unsigned read_count;
    struct io reads[CHUNK_MERGE_READS_MAX];
};

/* Starts a chunk of which nothing stays. */
void chunk_merge_start(struct chunk_merge *merge);

/* Adds bytes [begin, end) of the chunk, which stay; begin is at a block. */
void chunk_merge_keep(struct chunk_merge *merge, size_t begin, size_t end);

/* Returns the leaves of a chunk of len bytes that stay as a whole, as bits. */
unsigned chunk_merge_leaves(const struct chunk_merge *merge, size_t len);

/* Fills merge->reads with the gaps of buf (at disk offset base) in leaves that
 * stay in part.  Returns the number of reads. */
unsigned chunk_merge_plan_reads(struct chunk_merge *merge, uint8_t *buf,
                                uint64_t base, size_t len, void *owner);

#endif
