/*
 * cdi_env.h - common parts of the programs that replace KubeVirt CDI's.  CDI's
 * controller passes their settings in the environment.
 */
#ifndef CW_PROGRAM_CDI_ENV_H
#define CW_PROGRAM_CDI_ENV_H

#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "output/log_output.h"

/* Exit status of a fatal error, as klog's. */
#define CDI_FATAL 255

/* Returns the variable; NULL: unset or empty. */
const char *cdi_env(const char *name);

/* A setting for --help; a list ends with a NULL name. */
struct cdi_setting {
    const char *name;
    const char *meaning; /* lower case, no full stop */
};

struct cdi_program {
    const char *name;
    const char *arguments; /* for --help, starting with a blank, or "" */
    const char *side;      /* in the log: "source" or "target" */
    const struct cdi_setting *settings;
    /* Does the work; returns the exit status. */
    int (*run)(struct log_output *log, const char *const *argv);
};

/*
 * The main() of a program: --help and --version, or run() with a log on stderr
 * and SIGTERM and SIGINT stopping the job of run_job().  Returns the exit
 * status, CDI_FATAL if it could not start.
 */
int cdi_main(const struct cdi_program *program, const char *const *argv);

/*
 * Before run_job(): the paths that sandbox_enter() is to leave (image or
 * destination may be NULL; all are borrowed), and CLONEWIRE_SANDBOX.
 */
void cdi_confine(struct log_output *log, const char *image,
                 const char *destination, const struct cw_security *security);

/* Like Go's strconv.ParseBool: "1", "t", "TRUE", ...  False: invalid. */
bool cdi_bool(const char *text, bool *value);

/* Logs that the variable or argument name has an invalid value. */
void cdi_warn_invalid(struct log_output *log, const char *name,
                      const char *value, const char *instead);

/* Returns the variable's value, or value if it is unset; false, with a warning,
 * if it is invalid. */
bool cdi_read_bool(struct log_output *log, const char *name, bool value);

/* Stores parse(the variable), and leaves *value alone, with a warning, if it is
 * invalid. */
void cdi_read_number(struct log_output *log, const char *name,
                     bool (*parse)(const char *text, uint64_t *value),
                     uint64_t *value);

/* Extracts the host and port of a URL, for a source to connect to. */
void cdi_target_of(const char *url, char *target, size_t len);

/*
 * Returns the maximum log level by the arguments: -v=3, --v 3.  Ignores
 * -alsologtostderr and all other klog arguments.
 */
enum cw_log_level cdi_log_level(const char *const *argv);

/*
 * Writes text to the termination log for the kubelet:
 * CLONEWIRE_TERMINATION_LOG, created if necessary, or /dev/termination-log, if
 * that is a file.  Logs errors.
 */
void cdi_write_termination_log(struct log_output *log, const char *text);

/*
 * Fails with ERROR_USAGE if the termination log is the disk by another name.
 * disk: a file, a device, or a volume's directory.
 */
int cdi_check_termination_log(const char *disk, struct error *err);

/* Events that go to log. */
void cdi_get_events(struct log_output *log, enum cw_log_level level,
                    struct cw_events *events);

#endif
