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

struct chunkset {
    _Atomic uint64_t *words; /* owned; a bit for each chunk */
    uint64_t chunks;         /* of the disk */
    _Atomic uint64_t count;  /* in the set */
};

/* An empty set.  ERROR_SYSTEM when there is no memory. */
int chunkset_init(struct chunkset *set, uint64_t chunks, struct error *err);

/*
 * Adds [first, first+count), inside the disk.  True when none of them was in
 * the set.  What was done before an add is seen by whoever then finds the
 * chunk in the set.
 */
bool chunkset_add(struct chunkset *set, uint64_t first, uint64_t count);

/* Takes [first, first+count) out, as far as it is in. */
void chunkset_remove(struct chunkset *set, uint64_t first, uint64_t count);

bool chunkset_has(const struct chunkset *set, uint64_t chunk);
bool chunkset_has_all(const struct chunkset *set, uint64_t first,
                      uint64_t count);

uint64_t chunkset_count(const struct chunkset *set);

/*
 * The next run of the set that begins at from or behind it, or the rest of
 * the one that from is in.  False when there is none.
 */
bool chunkset_next(const struct chunkset *set, uint64_t from, uint64_t *first,
                   uint64_t *count);

/* Makes to, of the same disk and nobody else's yet, what from is now. */
void chunkset_copy(struct chunkset *to, const struct chunkset *from);

/* Empties it; nobody else uses it meanwhile. */
void chunkset_clear(struct chunkset *set);

/* Tolerates a zeroed one. */
void chunkset_fini(struct chunkset *set);

#endif
