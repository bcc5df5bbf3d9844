#include "resume/leaf_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

int leaf_cache_open(struct leaf_cache *leaves, size_t digest_bytes,
                    bool has_sums, struct error *err)
{
    size_t each = digest_bytes * MESSAGE_CHUNK_LEAVES;

    pthread_mutex_init(&leaves->lock, NULL);
    leaves->each = each;
    leaves->digests = malloc(MESSAGE_LEAVES_AHEAD * each);
    leaves->sums = has_sums ? malloc((size_t)MESSAGE_LEAVES_AHEAD *
                                     MESSAGE_SUMS_BYTES)
                            : NULL;
    leaves->chunks = calloc(MESSAGE_LEAVES_AHEAD, sizeof(*leaves->chunks));
    leaves->next = calloc(MESSAGE_LEAVES_AHEAD, sizeof(*leaves->next));
    if (!leaves->digests || (has_sums && !leaves->sums) || !leaves->chunks ||
        !leaves->next)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "keep digests of leaves");
    for (uint32_t i = 0; i < MESSAGE_LEAVES_AHEAD; i++) {
        leaves->first[i] = NONE;
        leaves->next[i] = i + 1 < MESSAGE_LEAVES_AHEAD ? i + 1 : NONE;
    }
    leaves->free = 0;
    leaves->count = 0;
    return 0;
}

/* Where the number of the chunk's entry is stored; it may be NONE. */
static uint32_t *find(struct leaf_cache *leaves, uint64_t chunk)
{
    uint32_t *at = &leaves->first[chunk % MESSAGE_LEAVES_AHEAD];

    while (*at != NONE && leaves->chunks[*at] != chunk)
        at = &leaves->next[*at];
    return at;
}

static uint8_t *sums_of(const struct leaf_cache *leaves, uint32_t i)
{
    return leaves->sums + (size_t)i * MESSAGE_SUMS_BYTES;
}

bool leaf_cache_put(struct leaf_cache *leaves, uint64_t chunk,
                    const uint8_t *digests, const uint8_t *sums)
{
    uint32_t i, *at;

    pthread_mutex_lock(&leaves->lock);
    i = leaves->free;
    if (i != NONE) {
        leaves->free = leaves->next[i];
        leaves->chunks[i] = chunk;
        memcpy(leaves->digests + i * leaves->each, digests, leaves->each);
        if (leaves->sums)
            memcpy(sums_of(leaves, i), sums, MESSAGE_SUMS_BYTES);
        at = &leaves->first[chunk % MESSAGE_LEAVES_AHEAD];
        leaves->next[i] = *at;
        *at = i;
        leaves->count++;
    }
    pthread_mutex_unlock(&leaves->lock);
    return i != NONE;
}

bool leaf_cache_get(struct leaf_cache *leaves, uint64_t chunk, uint8_t *digests,
                    uint8_t *sums)
{
    uint32_t i;

    if (leaves->each == 0)
        return false;
    pthread_mutex_lock(&leaves->lock);
    i = *find(leaves, chunk);
    if (i != NONE)
        memcpy(digests, leaves->digests + i * leaves->each, leaves->each);
    if (i != NONE && sums && leaves->sums)
        memcpy(sums, sums_of(leaves, i), MESSAGE_SUMS_BYTES);
    pthread_mutex_unlock(&leaves->lock);
    return i != NONE;
}

/* Drops the entry whose number is stored at at. */
static void drop_entry(struct leaf_cache *leaves, uint32_t *at)
{
    uint32_t i = *at;

    *at = leaves->next[i];
    leaves->next[i] = leaves->free;
    leaves->free = i;
    leaves->count--;
}

bool leaf_cache_take_any(struct leaf_cache *leaves, uint64_t *chunk)
{
    bool found = false;

    if (leaves->each == 0)
        return false;
    pthread_mutex_lock(&leaves->lock);
    for (size_t i = 0; i < MESSAGE_LEAVES_AHEAD && !found; i++) {
        found = leaves->first[i] != NONE;
        if (!found)
            continue;
        *chunk = leaves->chunks[leaves->first[i]];
        drop_entry(leaves, &leaves->first[i]);
    }
    pthread_mutex_unlock(&leaves->lock);
    return found;
}

unsigned leaf_cache_list(struct leaf_cache *leaves, uint64_t *chunks,
                         unsigned max)
{
    unsigned n = 0;

    if (leaves->each == 0)
        return 0;
    pthread_mutex_lock(&leaves->lock);
    for (size_t bucket = 0; bucket < MESSAGE_LEAVES_AHEAD; bucket++)
        for (uint32_t i = leaves->first[bucket]; i != NONE && n < max;
             i = leaves->next[i])
            chunks[n++] = leaves->chunks[i];
    pthread_mutex_unlock(&leaves->lock);
    return n;
}

/* True for the digest of a leaf that is not held. */
static bool is_missing(const uint8_t *digest, size_t digest_bytes)
{
    for (size_t i = 0; i < digest_bytes; i++)
        if (digest[i] != MESSAGE_LEAF_MISSING)
            return false;
    return true;
}

unsigned leaf_cache_count_held(const uint8_t *digests, size_t digest_bytes)
{
    unsigned held = 0;

    for (unsigned i = 0; i < MESSAGE_CHUNK_LEAVES; i++)
        held += !is_missing(digests + i * digest_bytes, digest_bytes);
    return held;
}

void leaf_cache_drop(struct leaf_cache *leaves, uint64_t first, uint64_t count)
{
    if (leaves->each == 0)
        return;
    pthread_mutex_lock(&leaves->lock);
    for (uint64_t n = 0; n < count && leaves->count > 0; n++) {
        uint32_t *at = find(leaves, first + n);

        if (*at != NONE)
            drop_entry(leaves, at);
    }
    pthread_mutex_unlock(&leaves->lock);
}

bool leaf_cache_has_room(struct leaf_cache *leaves)
{
    bool has_room;

    pthread_mutex_lock(&leaves->lock);
    has_room = leaves->free != NONE;
    pthread_mutex_unlock(&leaves->lock);
    return has_room;
}

void leaf_cache_close(struct leaf_cache *leaves)
{
    if (leaves->each == 0)
        return;
    free(leaves->digests);
    free(leaves->sums);
    free(leaves->chunks);
    free(leaves->next);
    pthread_mutex_destroy(&leaves->lock);
    *leaves = (struct leaf_cache){ 0 };
}
