/*
 * program.h - the four steps of main() in both programs.
 *
 *     program_open()         options, signals, log
 *     program_get_events()   the library's callbacks
 *     program_run()          the job, the summary or the error
 *     program_close()        what was printed, the exit status
 */
#ifndef CW_PROGRAM_PROGRAM_H
#define CW_PROGRAM_PROGRAM_H

#include <pthread.h>
#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "options/common_options.h"
#include "options/option.h"
#include "output/log_output.h"
#include "output/progress_display.h"

#define PROGRAM_GO_ON (-1)

struct program {
    struct common_options_output output;
    struct log_output log;
    struct progress_display display;
    void *extra;                 /* for a callback of the program */
    bool has_run;                /* a job ran to its end */
    bool no_termination_log;     /* the termination log is the disk */
    pthread_mutex_t lock;        /* of progress */
    struct cw_progress progress; /* last received from the job */
};

/*
 * Call it first in main().  Reads the options into config (zeroed); output is the part of config for this
 * module.  side: "source" or "target".  Returns PROGRAM_GO_ON, or the exit
 * status if the program is done (--help, a usage error).
 */
int program_open(struct program *process, const char *side,
                 const struct option_program *program, char **argv,
                 void *config, const struct common_options_output *output);

/* Reports error as the last output; returns the exit status. */
int program_fail(struct program *process, const struct cw_error *error);

/* Like program_fail(), for a usage error. */
int program_misused(struct program *process, const char *text);

/* Like program_fail(), for an error from before there was a job. */
int program_refused(struct program *process, const struct error *err);

/* Sets events for process (borrowed until the job is closed). */
void program_get_events(struct program *process, struct cw_events *events);

/*
 * Flushes stdout.  The last call of main(), with its status.  If printing a
 * result failed, returns ERROR_SYSTEM instead of 0; after a clone, only the
 * summary is lost, and a warning reports it.  Returns the exit status.
 */
int program_close(struct program *process, int status);

/*
 * Runs job (moved; NULL: opening it failed with error) and reports the result.
 * Returns the exit status.
 */
int program_run(struct program *process, struct cw_job *job,
                struct cw_error *error);

/* Like program_run(), for a job of cw_volume_open().  PROGRAM_GO_ON: the target
 * speaks clonewire/1; nothing is reported. */
int program_try(struct program *process, struct cw_job *job,
                struct cw_error *error);

#endif
