/*
 * watchdog.h - no wait is endless or silent.
 *
 * While a job works, it must make progress within --stall-timeout: a few bytes
 * of the disk or on the wire are enough.  A warning names a disk that does not
 * answer long before that.  After a job has failed, its threads must end.  A
 * disk that no longer answers blocks them for ever; the process then ends
 * without them.
 */
#ifndef CW_JOB_WATCHDOG_H
#define CW_JOB_WATCHDOG_H

#include <pthread.h>

#include "job/job.h"

/* Work begins: expects progress from now on. */
void watchdog_start(struct cw_job *job);

/* Main thread, often, during work: fails the job after too long without
 * progress; the error says which lanes wait for what. */
void watchdog_check(struct cw_job *job);

/*
 * Any thread: marks a wait for the disk at path (borrowed for the life of the
 * job), at offset, from enter to leave.  leave takes the result of enter and
 * counts the time.
 */
uint64_t watchdog_enter_disk(struct cw_job *job, const char *path,
                             uint64_t offset);
void watchdog_leave_disk(struct cw_job *job, uint64_t start_ns);

/* A lane: waits for an I/O to complete, as above.  I/O must be in flight. */
struct io *watchdog_reap(struct cw_job *job, struct io_queue *queue,
                         const char *path, uint64_t offset);

/*
 * Waits for a thread of the job to end.  If the job must end and the thread
 * does not, calls events.stuck(), which normally does not return; if it does,
 * the wait continues.
 */
void watchdog_join(struct cw_job *job, pthread_t thread);

#endif
