/*
 * leaf_cache.h - the leaf digests of chunks that were told and are still to be
 * sent, and where agreed the sums of their grains: what a delta finer than a
 * chunk goes by.  Both ends keep the same
 * ones, from the moment a chunk is told to the moment it is dealt with, and
 * never more than MESSAGE_LEAVES_AHEAD.  Any thread.
 */
#ifndef CW_RESUME_LEAF_CACHE_H
#define CW_RESUME_LEAF_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/message.h"

struct leaf_cache {
    pthread_mutex_t lock; /* of what follows */
    size_t each;          /* bytes of the leaves of a chunk; 0: not open */
    uint8_t *digests;     /* owned; of entry i at i * each */
    uint8_t *sums;        /* owned, as digests; NULL: none are kept */
    uint64_t *chunks;     /* owned; of entry i */
    uint32_t *next;       /* owned; of entry i: the next of its bucket */
    uint32_t first[MESSAGE_LEAVES_AHEAD]; /* of each bucket */
    uint32_t free;                        /* first of those unused */
    unsigned count;                       /* in use */
};

/* Empty, for digests of digest_bytes, and sums if has_sums.  ERROR_SYSTEM. */
int leaf_cache_open(struct leaf_cache *leaves, size_t digest_bytes,
                    bool has_sums, struct error *err);

/* Keeps a copy of the leaves of a chunk, which has none yet, and of its sums
 * where those are kept (else they may be NULL).  False: full. */
bool leaf_cache_put(struct leaf_cache *leaves, uint64_t chunk,
                    const uint8_t *digests, const uint8_t *sums);

/* Copies the leaves of a chunk, and its sums unless that is NULL or none are
 * kept.  False: it has none. */
bool leaf_cache_get(struct leaf_cache *leaves, uint64_t chunk, uint8_t *digests,
                    uint8_t *sums);

/* Forgets those of [first, first+count); there may be none. */
void leaf_cache_drop(struct leaf_cache *leaves, uint64_t first, uint64_t count);

/* Takes out any chunk that has some.  False: there is none. */
bool leaf_cache_take_any(struct leaf_cache *leaves, uint64_t *chunk);

/* The chunks that have some, max at most, to chunks.  How many. */
unsigned leaf_cache_list(struct leaf_cache *leaves, uint64_t *chunks,
                         unsigned max);

/* Is it the digest of a leaf that is not held (MESSAGE_LEAF_MISSING)? */
bool leaf_cache_is_missing(const uint8_t *digest, size_t digest_bytes);

/* Would leaf_cache_put() have room?  Others may put meanwhile. */
bool leaf_cache_has_room(struct leaf_cache *leaves);

/* Tolerates a zeroed one. */
void leaf_cache_close(struct leaf_cache *leaves);

#endif
