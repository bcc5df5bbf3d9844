/* settings.h - settings that CDI's controller or start-up script passes. */
#ifndef CW_CDI_CLONER_SETTINGS_H
#define CW_CDI_CLONER_SETTINGS_H

#include <stdbool.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "program/cdi_env.h"

struct settings {
    struct cw_volume_options volume; /* events are the caller's */
    bool is_preallocated;            /* as requested of the target */
    const char *owner_uid;
    const char *metrics_listen;

    /* The same for a target that speaks clonewire/1. */
    struct cw_source_options source; /* events are the caller's */
    char disk[4096];
    char target[300];
};

/* All settings, for --help. */
extern const struct cdi_setting settings_known[];

/*
 * Reads arguments and environment into settings (zeroed); strings are borrowed
 * from them.  Ignores klog arguments; logs invalid values, and ignores them.  Returns 0, or the exit status: 1 if a
 * variable of the start-up script is missing, CDI_FATAL for other errors.
 */
int settings_read(struct settings *settings, const char *const *argv,
                  struct log_output *log, struct error *err);

#endif
