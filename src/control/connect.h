/*
 * connect.h - dials a target until it answers.  A target that is not up yet,
 * or whose name does not resolve yet, may soon be reachable.
 */
#ifndef CW_CONTROL_CONNECT_H
#define CW_CONTROL_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "job/job.h"
#include "net/addr.h"
#include "net/conn.h"

/* How long to keep dialling. */
struct connect_patience {
    uint64_t deadline_ns;
    /* True if a dial that failed with err is worth a retry. */
    bool (*may_pass)(const struct cw_job *job, const struct error *err);
};

/*
 * Dials until the deadline, with jittered pauses, and reads the certificates
 * again each time.  A cancel ends it at once (ERROR_CANCELLED).  0: *conn is owned by the
 * caller; else as conn_dial().
 */
int connect_until(struct cw_job *job, const struct addr *target,
                  const struct conn_options *options,
                  const struct connect_patience *patience, struct conn **conn,
                  struct error *err);

/* Sleeps for ms; a cancel or another request ends it early.  Handles the
 * request.  False when cancelled. */
bool connect_pause_ms(struct cw_job *job, unsigned ms);

#endif
