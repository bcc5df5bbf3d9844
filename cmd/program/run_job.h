/* run_job.h - runs a job that SIGINT and SIGTERM stop. */
#ifndef CW_PROGRAM_RUN_JOB_H
#define CW_PROGRAM_RUN_JOB_H

#include "base/error.h"
#include "clonewire/clonewire.h"

/*
 * Starts the signal thread: see signals_open().  late(opaque, number) is called
 * if I/O on the disk keeps a stopped job from ending; then the process ends.
 */
int run_job_open(void (*late)(void *opaque, int number), void *opaque,
                 struct error *err);

/* Runs job (moved; NULL: opening it failed with *error) as cw_run() does. */
int run_job(struct cw_job *job, struct cw_summary *summary,
            struct cw_error *error);

#endif
