/*
 * cdi_env.h - what the programs have in common that stand in for KubeVirt CDI's:
 * their settings come from the environment, as CDI's controller writes it.
 */
#ifndef CW_PROGRAM_CDI_ENV_H
#define CW_PROGRAM_CDI_ENV_H

#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "output/log_output.h"

/* The status of a fatal mistake, as klog's. */
#define CDI_FATAL 255

/* More settings than any of the programs can doubt. */
#define CDI_DOUBTS 12

/* The variable; NULL: not set, or empty. */
const char *cdi_env(const char *name);

/* A setting, as --help tells of it; a list ends with a NULL name. */
struct cdi_setting {
    const char *name;
    const char *meaning; /* lower case, no full stop */
};

#define CDI_GO_ON (-1)

/*
 * Prints what --version or --help (as Go's programs have it: -h, -help)
 * among the arguments asks for.  Returns the exit status, CDI_FATAL where
 * stdout did not take it; CDI_GO_ON: neither is there.
 */
int cdi_answer(const char *const *argv, const char *program,
               const char *arguments, const struct cdi_setting *settings);

/* What could not be read of the settings, and is done without. */
struct cdi_doubts {
    unsigned count;
    char lines[CDI_DOUBTS][256];
};

/* Notes that value, of the variable or argument name, cannot be read. */
void cdi_doubt(struct cdi_doubts *doubts, const char *name, const char *value,
               const char *instead);

/* Each to its line of the log. */
void cdi_tell_doubts(const struct cdi_doubts *doubts, struct log_output *log);

/* As Go's strconv.ParseBool: "1", "t", "TRUE", ...  False: it is none. */
bool cdi_bool(const char *text, bool *value);

/* The host and port of a URL: what a source dials. */
void cdi_target_of(const char *url, char *target, size_t len);

/*
 * What the arguments say of the log (-v=3, --v 3, -alsologtostderr and all
 * else that klog knows are fine): the least urgent level.
 */
enum cw_log_level cdi_log_level(const char *const *argv);

/*
 * Leaves text where the kubelet looks for it: in CLONEWIRE_TERMINATION_LOG,
 * made if need be, or in /dev/termination-log, if that is a file.  What goes
 * wrong with that is told to log.
 */
void cdi_leave_word(struct log_output *log, const char *text);

/*
 * ERROR_USAGE: the file of cdi_leave_word() is the disk by
 * another name.  disk: a file, a device, or a volume's directory.
 */
int cdi_check_word(const char *disk, struct error *err);

/*
 * Logs on standard error; SIGTERM and SIGINT stop the job that
 * signals_set_job() names.  log is kept for ever; main() flushes it at the
 * end.  Exits, if that fails.
 */
void cdi_open(struct log_output *log, const char *name);

/* Events that go to log. */
void cdi_get_events(struct log_output *log, enum cw_log_level level,
                    struct cw_events *events);

#endif
