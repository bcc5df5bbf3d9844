/*
 * watchdog.h - nothing waits for ever, and not in silence.
 *
 * While a job works, something has to move within --stall-timeout.  When it
 * has failed, its threads have to end: a disk that answers no more holds them
 * for ever, and then the process ends without them.
 */
#ifndef CW_JOB_WATCHDOG_H
#define CW_JOB_WATCHDOG_H

#include <pthread.h>

#include "job/job.h"

/* Work begins: from now on something is to move. */
void watchdog_start(struct cw_job *job);

/* Main thread, often, while work goes on: fails the job when nothing has
 * moved for too long, and says what waits for what. */
void watchdog_check(struct cw_job *job);

/*
 * Waits for the end of a thread that works for the job.  Where the job is to
 * end and the thread does not, tells the events so (which does not return, or
 * else it is waited for all the same).
 */
void watchdog_join(struct cw_job *job, pthread_t thread);

#endif
