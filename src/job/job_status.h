/* job_status.h - the phase of a job as text, and its receipt. */
#ifndef CW_JOB_JOB_STATUS_H
#define CW_JOB_JOB_STATUS_H

#include "job/job.h"

/* As job_phase_name(). */
const char *job_phase_name(enum cw_phase phase);

/*
 * After the job is done: writes the receipt, if its events name one.
 * ERROR_SYSTEM: the copy is complete nevertheless.
 */
int job_write_receipt(const struct cw_job *job,
                      const struct cw_summary *summary, struct error *err);

#endif
