/*
 * health.h - health and metrics of a running job over HTTPS:
 *
 *   /healthz  200: the process is alive
 *   /readyz   200: ready for a source (target) or a clone (source); else 503
 *   /metrics  Prometheus text
 *
 * The main thread publishes snapshots of the job.  The server's thread answers
 * from the last one, so that a request costs the clone nothing.
 */
#ifndef CW_MONITOR_HEALTH_H
#define CW_MONITOR_HEALTH_H

#include "job/job.h"

/*
 * Listens on metrics_listen of the job's events, and answers; without an
 * address it does nothing.  The errors of http_server_open().
 */
extern const struct job_observer health_observer;

#endif
