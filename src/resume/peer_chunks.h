/*
 * peer_chunks.h - what the target has announced of the disk that it holds, in
 * HAVE and LEAVES.  The main thread receives announcements, the lanes ask.
 *
 * Before GO, a target may also announce leaves of chunks that came in part when
 * a session was lost: these are not sent again.
 *
 * A target that scans its disk announces every chunk.  Until it has announced a
 * chunk, it may still be reading it, so nothing of the chunk may be sent.
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
#include "transfer/chunk.h"

struct peer_chunks {
    bool is_open;
    bool surveys;                /* the target will announce every chunk */
    bool takes_parts;            /* until GO: LEAVES are of parts */
    uint64_t part_leaves;        /* leaves announced as parts */
    struct chunk_bitmap chunks;  /* announced */
    struct chunk_bitmap missing; /* of those, the target holds nothing */
    struct digest *digests;      /* owned; of the announced chunks */
    struct leaf_cache leaves;    /* of chunks that came in LEAVES */
    pthread_mutex_t lock;        /* for waiting */
    pthread_cond_t more;         /* more chunks are announced */
};

/* Opens it without any chunk; plan says what the target will announce.
 * ERROR_SYSTEM. */
int peer_chunks_open(struct peer_chunks *peer_chunks,
                     enum digest_algorithm algorithm, uint64_t virtual_bytes,
                     const struct message_plan *plan, struct error *err);

/*
 * Adds the chunks of a HAVE or LEAVES.  -1: the job failed, as the message does
 * not fit the disk, repeats a chunk, or exceeds what was agreed.
 */
int peer_chunks_receive(struct peer_chunks *peer_chunks,
                        struct session *session, const struct message *message);

/* GO has come: the target announces no more parts. */
void peer_chunks_end_parts(struct peer_chunks *peer_chunks);

/* Number of announced chunks that the target holds. */
uint64_t peer_chunks_count(const struct peer_chunks *peer_chunks);

/* Any lane: waits until the target announces chunk, if it will.  False: *stop
 * was set meanwhile. */
bool peer_chunks_await(struct peer_chunks *peer_chunks, uint64_t chunk,
                       const atomic_bool *stop);

/* True if peer_chunks_await() has to wait. */
bool peer_chunks_is_pending(const struct peer_chunks *peer_chunks,
                            uint64_t chunk);

/* True if the target holds something of the announced chunk. */
bool peer_chunks_holds(const struct peer_chunks *peer_chunks, uint64_t chunk);

enum peer_chunk {
    PEER_CHUNK_NEW,       /* the target holds nothing of it that helps */
    PEER_CHUNK_PARTIAL,   /* some blocks are the same */
    PEER_CHUNK_UNCHANGED, /* the target holds it */
};

/* The blocks of a partial chunk that the target holds. */
struct peer_chunks_same {
    struct block_set blocks;
    bool is_merge; /* some are parts of leaves, known by their sums */
};

/*
 * Compares a chunk, whose digest is in digest, with what the target announced.
 * leaves: its leaf digests, or NULL: asks only whether it is unchanged, which
 * needs no data; then same may be NULL.  Clears the blank leaves of chunk if it
 * compares sums.
 */
enum peer_chunk peer_chunks_classify(struct peer_chunks *peer_chunks,
                                     const struct digest *digest,
                                     struct chunk *chunk, const uint8_t *leaves,
                                     struct peer_chunks_same *same);

/* Frees what is kept for [first, first+count), once these are sent. */
void peer_chunks_drop(struct peer_chunks *peer_chunks, uint64_t first,
                      uint64_t count);

/* Tolerates a zeroed one. */
void peer_chunks_close(struct peer_chunks *peer_chunks);

#endif
