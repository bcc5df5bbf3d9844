/* env.h - settings that CDI's controller passes to its upload server. */
#ifndef CW_CDI_UPLOADSERVER_ENV_H
#define CW_CDI_UPLOADSERVER_ENV_H

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "program/cdi_env.h"

struct env {
    struct cw_target_options options; /* events are the caller's */
    char listen[300];
};

/* All settings, for --help. */
extern const struct cdi_setting env_settings[];

/*
 * Reads the environment into env (zeroed); strings are borrowed from it.
 * Logs invalid values, and ignores them.  Returns 0, or the exit status: 1 without TLS files, CDI_FATAL for an invalid
 * deadline.
 */
int env_read(struct env *env, struct log_output *log, struct error *err);

#endif
