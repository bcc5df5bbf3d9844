/*
 * retry.h - how long a lost connection is worth trying again.
 *
 * One budget for everything that may go wrong between two bits of progress:
 * names that do not resolve, refused connections, sessions that die at once.
 */
#ifndef CW_JOB_RETRY_H
#define CW_JOB_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct retry {
    uint64_t budget_ns;   /* CW_RETRY_OFF: none */
    uint64_t deadline_ns; /* of the present run of failures; 0: none yet */
    uint64_t done;        /* as told at the last failure */
};

/*
 * A session has failed when done (of whatever, never less than before) was
 * achieved.  True while there is time to try again.
 */
bool retry_again(struct retry *retry, uint64_t done, uint64_t now_ns);

/* Is err one that may pass by itself once a session has worked?  A wrong
 * certificate is: files are read anew. */
bool retry_is_passing(const struct error *err);

/* Half of ms and a random part of the other half, so that many sources that
 * lost one target do not all call again at the same moment. */
unsigned retry_jitter_ms(unsigned ms);

#endif
