/*
 * leaf_cache.h - the leaf digests of announced chunks that are still to be sent
 * and, where agreed, the sums of their blocks (4 KiB): the base of a delta finer
 * than a chunk.  Both ends keep the same chunks, from the announcement until
 * the chunk is sent, and at most MESSAGE_LEAVES_AHEAD.  Any thread.
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
    pthread_mutex_t lock; /* of the fields below */
    size_t each;          /* bytes of the leaves of a chunk; 0: not open */
    uint8_t *digests;     /* owned; of entry i at i * each */
    uint8_t *sums;        /* owned, as digests; NULL: the cache has no sums */
    uint64_t *chunks;     /* owned; of entry i */
    uint32_t *next;       /* owned; of entry i: the next in its bucket */
    uint32_t first[MESSAGE_LEAVES_AHEAD]; /* of each bucket */
    uint32_t free;                        /* first unused entry */
    unsigned count;                       /* entries in use */
};

/* Opens an empty cache for digests of digest_bytes, and for sums if has_sums.
 * ERROR_SYSTEM. */
int leaf_cache_open(struct leaf_cache *leaves, size_t digest_bytes,
                    bool has_sums, struct error *err);

/* Copies the leaves of a chunk, which is not in the cache, and its sums if the
 * cache has sums (else sums may be NULL).  False: the cache is full. */
bool leaf_cache_put(struct leaf_cache *leaves, uint64_t chunk,
                    const uint8_t *digests, const uint8_t *sums);

/* Copies the leaves of a chunk out, and its sums unless sums is NULL or the
 * cache has none.  False: the chunk is not in the cache. */
bool leaf_cache_get(struct leaf_cache *leaves, uint64_t chunk, uint8_t *digests,
                    uint8_t *sums);

/* Drops [first, first+count), in the cache or not. */
void leaf_cache_drop(struct leaf_cache *leaves, uint64_t first, uint64_t count);

/* Drops any chunk and returns its index.  False: the cache is empty. */
bool leaf_cache_take_any(struct leaf_cache *leaves, uint64_t *chunk);

/* Writes the indexes of at most max chunks to chunks; returns their number. */
unsigned leaf_cache_list(struct leaf_cache *leaves, uint64_t *chunks,
                         unsigned max);

/* Number of the leaves of a chunk that are held: the digests of the others are
 * all MESSAGE_LEAF_MISSING. */
unsigned leaf_cache_count_held(const uint8_t *digests, size_t digest_bytes);

/* True if leaf_cache_put() has room.  Other threads may put meanwhile. */
bool leaf_cache_has_room(struct leaf_cache *leaves);

/* Tolerates a zeroed one. */
void leaf_cache_close(struct leaf_cache *leaves);

#endif
