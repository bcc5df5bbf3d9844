/*
 * signals.h - SIGINT and SIGTERM stop the job once, and then the process;
 * SIGHUP makes it reload its keys, or stops it where it has a terminal;
 * SIGUSR1 makes it log its progress.
 *
 * The first signal asks the job to stop cleanly.  The second ends the process
 * at once with 128 + its number.  So does the first before a job runs, or if
 * the job does not end in time: I/O on a hung disk cannot be cancelled.  The
 * first signal after the job has ended is ignored: the process is about to end
 * with the job's status.
 *
 * One thread waits for signals and all others block them: no call is
 * interrupted, and no handler runs while a job is being closed.
 */
#ifndef CW_PROGRAM_SIGNALS_H
#define CW_PROGRAM_SIGNALS_H

#include "base/error.h"

struct cw_job;

struct signals_plan {
    void (*stop)(struct cw_job *job);   /* must not block, as the next two */
    void (*reload)(struct cw_job *job); /* NULL: SIGHUP does nothing */
    void (*report)(struct cw_job *job); /* NULL: SIGUSR1 does nothing */
    /* Called patience_ms after stop(); then the process ends. */
    void (*late)(void *opaque, int number);
    void *opaque; /* borrowed forever */
    unsigned patience_ms;
};

/*
 * Starts the signal thread.  Call once, before any other thread exists.
 * Ignores SIGPIPE: writes fail with EPIPE instead.  Fails with ERROR_SYSTEM.
 */
int signals_open(const struct signals_plan *plan, struct error *err);

/* Sets the job to stop; NULL: none.  After it returns, the previous job is no
 * longer used. */
void signals_set_job(struct cw_job *job);

/* Returns the first signal that came while a job ran, or 0. */
int signals_caught(void);

#endif
