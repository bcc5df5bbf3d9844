/*
 * leaves.h - the leaf digests of chunks that were told and are still to be
 * sent: what a delta finer than a chunk goes by.  Both ends keep the same
 * ones, from the moment a chunk is told to the moment it is dealt with, and
 * never more than MESSAGE_LEAVES_AHEAD.  Any thread.
 */
#ifndef CW_FLOW_LEAVES_H
#define CW_FLOW_LEAVES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/message.h"

struct leaves {
    pthread_mutex_t lock; /* of what follows */
    size_t each;          /* bytes of the leaves of a chunk; 0: not open */
    uint8_t *digests;     /* owned; of entry i at i * each */
    uint64_t *chunks;     /* owned; of entry i */
    uint32_t *next;       /* owned; of entry i: the next of its bucket */
    uint32_t first[MESSAGE_LEAVES_AHEAD]; /* of each bucket */
    uint32_t free;                        /* first of those unused */
    unsigned count;                       /* in use */
};

/* Empty, for digests of digest_bytes.  ERROR_SYSTEM. */
int leaves_open(struct leaves *leaves, size_t digest_bytes, struct error *err);

/* Keeps a copy of the leaves of a chunk, which has none yet.  False: full. */
bool leaves_put(struct leaves *leaves, uint64_t chunk, const uint8_t *digests);

/* Copies the leaves of a chunk.  False: it has none. */
bool leaves_get(struct leaves *leaves, uint64_t chunk, uint8_t *digests);

/* Forgets those of [first, first+count); there may be none. */
void leaves_drop(struct leaves *leaves, uint64_t first, uint64_t count);

/* Takes out any chunk that has some.  False: there is none. */
bool leaves_take_any(struct leaves *leaves, uint64_t *chunk);

/* Would leaves_put() have room?  Others may put meanwhile. */
bool leaves_has_room(struct leaves *leaves);

/* Tolerates a zeroed one. */
void leaves_close(struct leaves *leaves);

#endif
