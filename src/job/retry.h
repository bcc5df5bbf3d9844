/*
 * retry.h - how long to retry a lost connection.
 *
 * One budget covers every failure between two steps of progress: names that do
 * not resolve, refused connections, sessions that fail at once.
 */
#ifndef CW_JOB_RETRY_H
#define CW_JOB_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct retry {
    uint64_t budget_ns;   /* CW_RETRY_OFF: none */
    uint64_t deadline_ns; /* of the current run of failures; 0: none yet */
    uint64_t done;        /* as passed at the last failure */
};

/*
 * Records that a session failed after done units of progress (any unit; never
 * decreases).  True while there is time to retry.
 */
bool retry_again(struct retry *retry, uint64_t done, uint64_t now_ns);

/* True if err may pass by itself once a session has worked.  That includes a
 * wrong certificate: the files are read again. */
bool retry_is_passing(const struct error *err);

/* Half of ms plus a random part of the other half, so that many sources that
 * lost one target do not all redial at the same time. */
unsigned retry_jitter_ms(unsigned ms);

#endif
