/*
 * connect.h - calls a target until somebody answers: one that is not up yet, or
 * has no name yet, may be so soon.
 */
#ifndef CW_CONTROL_CONNECT_H
#define CW_CONTROL_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "job/job.h"
#include "net/addr.h"
#include "net/conn.h"

/* How long a caller goes on. */
struct connect_patience {
    uint64_t deadline_ns;
    /* Is a call that failed so worth another? */
    bool (*may_pass)(const struct cw_job *job, const struct error *err);
};

/*
 * Calls until the deadline, with jittered pauses and certificates read anew.
 * A cancel ends it at once (ERROR_CANCELLED).  0: *conn is owned by the
 * caller; else as conn_dial().
 */
int connect_until(struct cw_job *job, const struct addr *target,
                  const struct conn_options *options,
                  const struct connect_patience *patience, struct conn **conn,
                  struct error *err);

/* Sleeps, but not beyond a cancel or another wish, which is attended to.
 * False when cancelled. */
bool connect_pause_ms(struct cw_job *job, unsigned ms);

#endif
