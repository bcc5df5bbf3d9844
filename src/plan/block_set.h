/*
 * block_set.h - a set of grains (4 KiB) of one chunk.  Pure.
 */
#ifndef CW_PLAN_BLOCK_SET_H
#define CW_PLAN_BLOCK_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/chunk_grid.h"

#define GRAINS_MAX  256U /* of a chunk */
#define GRAINS_WORD 64U

struct grains {
    uint64_t bits[GRAINS_MAX / GRAINS_WORD];
};

_Static_assert(GRAINS_MAX *GRID_GRAIN_BYTES == GRID_CHUNK_BYTES,
               "grains make up a chunk");

/* Grains that len bytes of a chunk, from its beginning, lie in. */
static inline size_t grains_count(size_t len)
{
    return (len + GRID_GRAIN_BYTES - 1) / GRID_GRAIN_BYTES;
}

static inline bool grains_has(const struct grains *set, size_t grain)
{
    return (set->bits[grain / GRAINS_WORD] >> grain % GRAINS_WORD & 1) != 0;
}

/* Adds those of [first, end). */
static inline void grains_add(struct grains *set, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        set->bits[i / GRAINS_WORD] |= UINT64_C(1) << i % GRAINS_WORD;
}

/* The end of the run of those alike, in the set or not, that begins at
 * grain first < end; no more than end. */
static inline size_t grains_run_end(const struct grains *set, size_t first,
                                    size_t end)
{
    bool has = grains_has(set, first);
    size_t i = first + 1;

    while (i < end && grains_has(set, i) == has)
        i++;
    return i;
}

/* Are all of [first, end) in the set? */
static inline bool grains_has_all(const struct grains *set, size_t first,
                                  size_t end)
{
    return grains_has(set, first) && grains_run_end(set, first, end) == end;
}

#endif
