/*
 * program.h - what main() of both programs does, in four steps.
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
    void *extra;                 /* for a callback of the program's own */
    bool has_run;                /* a job, to its end */
    bool is_wordless;            /* the termination log is the disk */
    pthread_mutex_t lock;        /* of progress */
    struct cw_progress progress; /* as last told; of the job while it runs */
};

/*
 * Reads the options into config (zeroed), output being the part of it that
 * is for us.  side: "source" or "target".  Returns PROGRAM_GO_ON, or the
 * exit status when there is nothing more to do (--help, a usage error).
 */
int program_open(struct program *process, const char *side,
                 const struct option_program *program, char **argv,
                 void *config, const struct common_options_output *output);

/* Tells error as the last word of this process; returns the exit status. */
int program_fail(struct program *process, const struct cw_error *error);

/* The same for a mistake in how the program was called. */
int program_misused(struct program *process, const char *text);

/* The same for an error from before there was a job. */
int program_refused(struct program *process, const struct error *err);

/* Events that go to this process (borrowed until the job is closed). */
void program_get_events(struct program *process, struct cw_events *events);

/*
 * The last call of main(), with what it is about to return: flushes stdout.
 * An answer that did not get there ends with ERROR_SYSTEM in place of 0; of a
 * clone only the summary is lost, and a warning says so.  Returns the exit
 * status.
 */
int program_close(struct program *process, int status);

/*
 * Runs job (moved; NULL: it could not be opened, error says why) and tells
 * how it ended.  Returns the exit status.
 */
int program_run(struct program *process, struct cw_job *job,
                struct cw_error *error);

/* The same of a job of cw_volume_open(); PROGRAM_GO_ON: the target can do
 * better, and nothing was told. */
int program_try(struct program *process, struct cw_job *job,
                struct cw_error *error);

#endif
