/*
 * progress_display.h - shows the library's progress: a bar, log lines or JSON.
 *
 * Updates may come from any thread.
 */
#ifndef CW_OUTPUT_PROGRESS_DISPLAY_H
#define CW_OUTPUT_PROGRESS_DISPLAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "options/common_options.h"
#include "output/log_output.h"
#include "output/progress_bar.h"

struct progress_display {
    struct log_output *log; /* borrowed */
    struct log_output *to;  /* where JSON goes: log, or json */
    struct log_output json; /* for the descriptor of --progress=FD */
    enum common_options_progress style;
    bool colour;
    pthread_mutex_t lock; /* protects the fields below */
    struct progress_bar bar;
    enum cw_phase phase;
    unsigned pass;
    bool has_phase;
    uint64_t last_line_ns; /* plain: time of the last line */
};

/* Returns false if --progress=FD is not an open descriptor. */
bool progress_display_is_possible(const struct common_options_output *output);

/* Returns the descriptor of --progress=FD, or -1. */
int progress_display_fd(const struct common_options_output *output);

/* output: the options; auto depends on the log's descriptor. */
void progress_display_init(struct progress_display *display,
                           struct log_output *log,
                           const struct common_options_output *output);

/* Like log_output_start(), for --progress=FD. */
int progress_display_start(struct progress_display *display, struct error *err);

void progress_display_update(struct progress_display *display,
                             const struct cw_progress *progress);

/* Call before the summary or the error: keeps a finished bar, erases others. */
void progress_display_finish(struct progress_display *display);

#endif
