/*
 * told.h - what the target has told the source of the disk it holds, in HAVE
 * and LEAVES.  The main thread hears, the lanes ask.
 *
 * Before a target that surveys has told a chunk, nothing of it may be sent:
 * it is still being looked at.
 */
#ifndef CW_FLOW_TOLD_H
#define CW_FLOW_TOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/leaves.h"
#include "flow/session.h"
#include "plan/chunkset.h"
#include "track/digest.h"

struct told {
    bool is_open;
    bool surveys;           /* every chunk will be told */
    struct chunkset chunks; /* told so far */
    struct digest *digests; /* owned; of them */
    struct leaves leaves;   /* of those that came in LEAVES */
    pthread_mutex_t lock;   /* for waiting */
    pthread_cond_t more;    /* something was told */
};

/* Nothing is told yet of this disk.  ERROR_SYSTEM. */
int told_open(struct told *told, enum digest_algorithm algorithm,
              uint64_t virtual_bytes, bool surveys, struct error *err);

/*
 * Takes a HAVE or LEAVES.  -1: the job failed, as the message does not fit
 * the disk, tells a chunk twice or more than was agreed.
 */
int told_hear(struct told *told, struct session *session,
              const struct message *message);

/* Chunks told so far. */
uint64_t told_count(const struct told *told);

/*
 * Any lane: waits until chunk is told, if it will be.  False: *stop was set
 * meanwhile.
 */
bool told_await(struct told *told, uint64_t chunk, const atomic_bool *stop);

/* Must told_await() wait? */
bool told_is_pending(const struct told *told, uint64_t chunk);

/* Does the target hold chunk, with the digest it has in digest? */
bool told_agrees(const struct told *told, const struct digest *digest,
                 uint64_t chunk);

/*
 * Which leaves of chunk are those the target holds?  leaves: ours.  A bit for
 * each; 0 also where it told no leaves.
 */
unsigned told_same_leaves(struct told *told, uint64_t chunk,
                          const uint8_t *leaves);

/* [first, first+count) are dealt with: nobody will ask again. */
void told_drop(struct told *told, uint64_t first, uint64_t count);

/* Tolerates a zeroed one. */
void told_close(struct told *told);

#endif
