/*
 * health.h - what the outside may ask of a job that runs, over HTTPS:
 *
 *   /healthz  200: the process is alive
 *   /readyz   200: a source may come (target), a clone may run (source); 503
 *   /metrics  Prometheus text
 *
 * The main thread publishes moments of the job; the server's thread answers
 * from the last one, so that asking costs the clone nothing.
 */
#ifndef CW_MONITOR_HEALTH_H
#define CW_MONITOR_HEALTH_H

#include "base/error.h"

struct cw_job;
struct health;

/*
 * Listens where the job's events say and answers; nothing to do when they
 * name no address.  The job's TLS is set up.  Errors as of https_open().
 */
int health_open(struct cw_job *job, struct error *err);

/* Publishes the job as it is now.  Main thread. */
void health_update(struct cw_job *job);

/* Tolerates NULL and half-opened. */
void health_close(struct health *health);

#endif
