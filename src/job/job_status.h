/* job_status.h - what a job says of itself: its phase in words, its receipt. */
#ifndef CW_JOB_JOB_STATUS_H
#define CW_JOB_JOB_STATUS_H

#include "job/job.h"

/* As job_phase_name(). */
const char *job_phase_name(enum cw_phase phase);

/*
 * The job is done: writes the receipt that its events name, if they do.
 * ERROR_SYSTEM: the copy is complete all the same.
 */
int job_write_receipt(const struct cw_job *job,
                      const struct cw_summary *summary, struct error *err);

#endif
