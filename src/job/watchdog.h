/*
 * watchdog.h - nothing waits for ever, and not in silence.
 *
 * While a job works, something has to move within --stall-timeout: bytes of
 * the disk, or of the wire, be they few.  A disk that does not answer is
 * named long before.  When the job has failed, its threads have to end: a disk that answers no more holds them
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
 * Any thread: from enter to leave it waits for the disk at path (borrowed for
 * as long as the job lives), at offset.  leave takes what enter returned, and
 * counts the time.
 */
uint64_t watchdog_enter_disk(struct cw_job *job, const char *path,
                             uint64_t offset);
void watchdog_leave_disk(struct cw_job *job, uint64_t begun_ns);

/* A lane: waits for an I/O to complete, as above.  Something is in flight. */
struct io *watchdog_reap(struct cw_job *job, struct io_queue *ring,
                         const char *path, uint64_t offset);

/*
 * Waits for the end of a thread that works for the job.  Where the job is to
 * end and the thread does not, tells the events so (which does not return, or
 * else it is waited for all the same).
 */
void watchdog_join(struct cw_job *job, pthread_t thread);

#endif
