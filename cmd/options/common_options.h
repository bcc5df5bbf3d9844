/* common_options.h - option rows of both programs, and their structs. */
#ifndef CW_OPTIONS_COMMON_OPTIONS_H
#define CW_OPTIONS_COMMON_OPTIONS_H

#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "options/option.h"

enum common_options_log_format {
    COMMON_OPTIONS_LOG_AUTO,
    COMMON_OPTIONS_LOG_TEXT,
    COMMON_OPTIONS_LOG_JSON
};

#define COMMON_OPTIONS_PROGRESS_FD_MAX 65535

/* Any other value is a file descriptor to print JSON on. */
enum common_options_progress {
    COMMON_OPTIONS_PROGRESS_AUTO = COMMON_OPTIONS_PROGRESS_FD_MAX + 1,
    COMMON_OPTIONS_PROGRESS_BAR,
    COMMON_OPTIONS_PROGRESS_PLAIN,
    COMMON_OPTIONS_PROGRESS_JSON,
    COMMON_OPTIONS_PROGRESS_NONE
};

/* How a program confines itself: cmd/program/sandbox.h. */
enum common_options_sandbox {
    COMMON_OPTIONS_SANDBOX_AUTO, /* as far as the kernel can */
    COMMON_OPTIONS_SANDBOX_REQUIRE,
    COMMON_OPTIONS_SANDBOX_OFF
};

/* Output of the program; not part of the library. */
struct common_options_output {
    bool quiet;
    bool verbose;
    enum common_options_log_format log_format;
    enum common_options_progress progress;
    enum common_options_sandbox sandbox;
    const char *metrics_listen;
    const char *termination_log;
    const char *receipt;
    enum option_action action;
};

/* Converts the value of --fs-overhead for the library, where 0 is the default. */
uint32_t common_options_overhead(uint32_t ppm);

extern const struct option_row
    common_options_security[]; /* of struct cw_security */
extern const struct option_row common_options_sink[]; /* of struct
                                                   cw_target_options */
extern const struct option_row
    common_options_tuning[]; /* of struct cw_tuning */
extern const struct option_row
    common_options_output[]; /* of struct common_options_output */

#endif
