/*
 * signals.h - SIGINT and SIGTERM stop the job once, and then the process;
 * SIGHUP and SIGUSR1 ask it to read its keys again and to say how far it is.
 *
 * The first one asks the job to stop cleanly.  The second ends the process
 * at once with 128 + its number, and so does the first before a job runs, or
 * when the job has not ended after a while: a disk that does not answer can
 * be neither cancelled nor waited for.  The first one after the job has ended
 * changes nothing: the process is about to end with the job's status.
 *
 * A thread waits for them, and every other thread has them blocked: nothing
 * is ever interrupted, and no handler can meet a job that is being closed.
 */
#ifndef CW_PROGRAM_SIGNALS_H
#define CW_PROGRAM_SIGNALS_H

#include "base/error.h"

struct cw_job;

struct signals_plan {
    void (*stop)(struct cw_job *job);   /* must not block, as the next two */
    void (*reload)(struct cw_job *job); /* NULL: SIGHUP does nothing */
    void (*report)(struct cw_job *job); /* NULL: SIGUSR1 does nothing */
    /* patience_ms after stop(): says so; then the process ends. */
    void (*late)(void *opaque, int number);
    void *opaque; /* borrowed for ever */
    unsigned patience_ms;
};

/*
 * Starts watching.  Call once, before any other thread exists.  SIGPIPE is
 * ignored: writing says EPIPE instead.  Fails with ERROR_SYSTEM.
 */
int signals_open(const struct signals_plan *plan, struct error *err);

/* The job to stop; NULL: none.  When it returns, the one before is not
 * touched any more. */
void signals_set_job(struct cw_job *job);

/* The first signal that came while a job ran, or 0. */
int signals_caught(void);

#endif
