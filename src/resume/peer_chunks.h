/*
 * peer_chunks.h - what the target has told the source of the disk it holds, in HAVE
 * and LEAVES.  The main thread hears, the lanes ask.
 *
 * A target may also tell, before GO, leaves of chunks that came in part when a
 * session was lost: these are not sent again.
 *
 * Before a target that surveys has told a chunk, nothing of it may be sent:
 * it is still being looked at.
 */
#ifndef CW_RESUME_PEER_CHUNKS_H
#define CW_RESUME_PEER_CHUNKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/session.h"
#include "plan/block_set.h"
#include "plan/chunk_bitmap.h"
#include "record/digest.h"
#include "resume/leaf_cache.h"

struct peer_chunks {
    bool is_open;
    bool surveys;                /* every chunk will be told */
    bool takes_parts;            /* LEAVES are of parts: until GO */
    uint64_t part_leaves;        /* told so */
    struct chunk_bitmap chunks;  /* told so far; of them */
    struct chunk_bitmap missing; /* the target has none of these */
    struct digest *digests;      /* owned; of them */
    struct leaf_cache leaves;    /* of those that came in LEAVES */
    pthread_mutex_t lock;        /* for waiting */
    pthread_cond_t more;         /* something was told */
};

/* Nothing is told yet of this disk; plan: what will be.  ERROR_SYSTEM. */
int peer_chunks_open(struct peer_chunks *peer_chunks,
                     enum digest_algorithm algorithm, uint64_t virtual_bytes,
                     const struct message_plan *plan, struct error *err);

/*
 * Takes a HAVE or LEAVES.  -1: the job failed, as the message does not fit
 * the disk, tells a chunk twice or more than was agreed.
 */
int peer_chunks_hear(struct peer_chunks *peer_chunks, struct session *session,
                     const struct message *message);

/* GO has come: no parts are told any more. */
void peer_chunks_end_parts(struct peer_chunks *peer_chunks);

/* Chunks that the target holds, as told so far. */
uint64_t peer_chunks_count(const struct peer_chunks *peer_chunks);

/*
 * Any lane: waits until chunk is told, if it will be.  False: *stop was set
 * meanwhile.
 */
bool peer_chunks_await(struct peer_chunks *peer_chunks, uint64_t chunk,
                       const atomic_bool *stop);

/* Must peer_chunks_await() wait? */
bool peer_chunks_is_pending(const struct peer_chunks *peer_chunks,
                            uint64_t chunk);

/* Was chunk told, and the target holds something of it? */
bool peer_chunks_holds(const struct peer_chunks *peer_chunks, uint64_t chunk);

/* Does the target hold chunk, with the digest it has in digest? */
bool peer_chunks_agrees(const struct peer_chunks *peer_chunks,
                        const struct digest *digest, uint64_t chunk);

/* What the target has of a chunk, where it is not as ours. */
struct peer_chunks_same {
    struct block_set blocks; /* that are the same */
    bool is_merge;           /* by their sums, and so not only whole leaves */
};

/* Finds out by what was told of chunk, if it came in LEAVES: it has len bytes
 * at data, whose leaf digests are leaves. */
void peer_chunks_find_same(struct peer_chunks *peer_chunks, uint64_t chunk,
                           const uint8_t *leaves, const uint8_t *data,
                           size_t len, struct peer_chunks_same *same);

/* [first, first+count) are dealt with: nobody will ask again. */
void peer_chunks_drop(struct peer_chunks *peer_chunks, uint64_t first,
                      uint64_t count);

/* Tolerates a zeroed one. */
void peer_chunks_close(struct peer_chunks *peer_chunks);

#endif
