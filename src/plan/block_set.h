/* block_set.h - a set of blocks (4 KiB) of one chunk.  Pure. */
#ifndef CW_PLAN_BLOCK_SET_H
#define CW_PLAN_BLOCK_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/chunk_grid.h"

#define LEAF_BLOCKS    (LEAF_BYTES / BLOCK_BYTES)
#define BLOCK_SET_MAX  256U /* per chunk */
#define BLOCK_SET_WORD 64U

struct block_set {
    uint64_t bits[BLOCK_SET_MAX / BLOCK_SET_WORD];
};

_Static_assert(BLOCK_SET_MAX *BLOCK_BYTES == CHUNK_BYTES,
               "blocks make up a chunk");

/* Number of blocks that the first len bytes of a chunk touch. */
static inline size_t block_set_count(size_t len)
{
    return (len + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static inline bool block_set_has(const struct block_set *set, size_t block)
{
    return (set->bits[block / BLOCK_SET_WORD] >> block % BLOCK_SET_WORD & 1) !=
           0;
}

/* Adds the blocks [first, end). */
static inline void block_set_add(struct block_set *set, size_t first,
                                 size_t end)
{
    for (size_t i = first; i < end; i++)
        set->bits[i / BLOCK_SET_WORD] |= UINT64_C(1) << i % BLOCK_SET_WORD;
}

/* Returns the end, at most end, of the run of blocks that begins at first <
 * end and is all in the set or all outside it. */
static inline size_t block_set_run_end(const struct block_set *set,
                                       size_t first, size_t end)
{
    bool has = block_set_has(set, first);
    size_t i = first + 1;

    while (i < end && block_set_has(set, i) == has)
        i++;
    return i;
}

/* Are all blocks [first, end) in the set? */
static inline bool block_set_has_all(const struct block_set *set, size_t first,
                                     size_t end)
{
    return block_set_has(set, first) &&
           block_set_run_end(set, first, end) == end;
}

#endif
