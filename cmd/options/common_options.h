/* common_options.h - option rows that both programs have, and what they fill. */
#ifndef CW_OPTIONS_COMMON_OPTIONS_H
#define CW_OPTIONS_COMMON_OPTIONS_H

#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "options/option.h"

enum rows_log_format {
    ROWS_LOG_AUTO,
    ROWS_LOG_TEXT,
    ROWS_LOG_JSON
};

#define ROWS_PROGRESS_FD_MAX 65535

/* What is none of these is a file descriptor to print JSON on. */
enum rows_progress {
    ROWS_PROGRESS_AUTO = ROWS_PROGRESS_FD_MAX + 1,
    ROWS_PROGRESS_BAR,
    ROWS_PROGRESS_PLAIN,
    ROWS_PROGRESS_JSON,
    ROWS_PROGRESS_NONE
};

/* How the program talks; nothing the library knows of. */
struct rows_output {
    bool quiet;
    bool verbose;
    enum rows_log_format log_format;
    enum rows_progress progress;
    const char *metrics_listen;
    const char *termination_log;
    const char *receipt;
    enum option_action action;
};

extern const struct option_row rows_security[]; /* of struct cw_security */
extern const struct option_row rows_sink[];     /* of struct
                                                   cw_target_options */
extern const struct option_row rows_tuning[];   /* of struct cw_tuning */
extern const struct option_row rows_output[];   /* of struct rows_output */

#endif
