/*
 * chunk_bitmap.h - a set of chunks of a disk.  Pure but for atomics: lanes may
 * add, remove and ask at any time.
 *
 * A target keeps two: the chunks that have come in this session, each at
 * most once, and the chunks it holds, written in whole.
 */
#ifndef CW_PLAN_CHUNK_BITMAP_H
#define CW_PLAN_CHUNK_BITMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct chunk_bitmap {
    _Atomic uint64_t *words; /* owned; a bit for each chunk */
    uint64_t chunks;         /* of the disk */
    _Atomic uint64_t count;  /* in the set */
};

/* An empty set.  ERROR_SYSTEM when there is no memory. */
int chunk_bitmap_init(struct chunk_bitmap *set, uint64_t chunks,
                      struct error *err);

/*
 * Adds [first, first+count), inside the disk.  True when none of them was in
 * the set.  What was done before an add is seen by whoever then finds the
 * chunk in the set.
 */
bool chunk_bitmap_add(struct chunk_bitmap *set, uint64_t first, uint64_t count);

/* Takes [first, first+count) out, as far as it is in. */
void chunk_bitmap_remove(struct chunk_bitmap *set, uint64_t first,
                         uint64_t count);

bool chunk_bitmap_has(const struct chunk_bitmap *set, uint64_t chunk);
bool chunk_bitmap_has_all(const struct chunk_bitmap *set, uint64_t first,
                          uint64_t count);

uint64_t chunk_bitmap_count(const struct chunk_bitmap *set);

/*
 * The next run of the set that begins at from or behind it, or the rest of
 * the one that from is in.  False when there is none.
 */
bool chunk_bitmap_next(const struct chunk_bitmap *set, uint64_t from,
                       uint64_t *first, uint64_t *count);

/* Makes to, of the same disk and nobody else's yet, what from is now. */
void chunk_bitmap_copy(struct chunk_bitmap *to,
                       const struct chunk_bitmap *from);

/* Empties it; nobody else uses it meanwhile. */
void chunk_bitmap_clear(struct chunk_bitmap *set);

/* Tolerates a zeroed one. */
void chunk_bitmap_fini(struct chunk_bitmap *set);

#endif
