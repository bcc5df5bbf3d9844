/*
 * chunk_bitmap.h - a set of chunks of a disk.  Pure except for atomics: lanes
 * may add, remove and test at any time.
 *
 * A target keeps two: the chunks received in this session, each at most once,
 * and the chunks on its disk, completely written.
 */
#ifndef CW_PLAN_CHUNK_BITMAP_H
#define CW_PLAN_CHUNK_BITMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct chunk_bitmap {
    _Atomic uint64_t *words; /* owned; one bit per chunk */
    uint64_t chunks;         /* of the disk */
    _Atomic uint64_t count;  /* in the set */
};

/* Makes an empty set.  ERROR_SYSTEM if out of memory. */
int chunk_bitmap_init(struct chunk_bitmap *set, uint64_t chunks,
                      struct error *err);

/*
 * Adds [first, first+count), which is inside the disk.  Returns true if none
 * of them was in the set.  A thread that then finds the chunk in the set sees
 * all writes made before the add.
 */
bool chunk_bitmap_add(struct chunk_bitmap *set, uint64_t first, uint64_t count);

/* Removes [first, first+count) as far as it is in the set. */
void chunk_bitmap_remove(struct chunk_bitmap *set, uint64_t first,
                         uint64_t count);

bool chunk_bitmap_has(const struct chunk_bitmap *set, uint64_t chunk);
bool chunk_bitmap_has_all(const struct chunk_bitmap *set, uint64_t first,
                          uint64_t count);

uint64_t chunk_bitmap_count(const struct chunk_bitmap *set);

/*
 * Finds the next run of the set at or after from; a run that contains from
 * begins at from.  Returns false if there is none.
 */
bool chunk_bitmap_next(const struct chunk_bitmap *set, uint64_t from,
                       uint64_t *first, uint64_t *count);

/* Copies from into to, a set for the same disk that no other thread uses
 * yet. */
void chunk_bitmap_copy(struct chunk_bitmap *to,
                       const struct chunk_bitmap *from);

/* Empties the set; no other thread may use it meanwhile. */
void chunk_bitmap_clear(struct chunk_bitmap *set);

/* Accepts a zeroed set. */
void chunk_bitmap_fini(struct chunk_bitmap *set);

#endif
