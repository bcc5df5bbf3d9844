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

#include "job/job.h"

/*
 * Listens where the job's events say, and answers; without an address there
 * is nothing to do.  Errors as of https_open().
 */
extern const struct job_observer health_observer;

#endif
