/*
 * progress_display.h - where the library's progress goes: a bar, log lines, JSON.
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
    struct log_output json; /* for a file descriptor that was named */
    enum common_options_progress style;
    bool colour;
    pthread_mutex_t lock; /* over what follows */
    struct progress_bar bar;
    enum cw_phase phase;
    bool has_phase;
    uint64_t last_line_ns; /* plain: when a line was printed */
};

/* False: progress is wanted on a file descriptor that is not open. */
bool progress_display_is_possible(const struct common_options_output *output);

/* The file descriptor that was named for progress; -1: none was. */
int progress_display_fd(const struct common_options_output *output);

/* output: what was asked for; auto looks at where the log goes. */
void progress_display_init(struct progress_display *display,
                           struct log_output *log,
                           const struct common_options_output *output);

/* As log_output_start(), for a file descriptor that was named. */
int progress_display_start(struct progress_display *display, struct error *err);

void progress_display_update(struct progress_display *display,
                             const struct cw_progress *progress);

/* Before the summary or the error: a finished bar stays, others vanish. */
void progress_display_finish(struct progress_display *display);

#endif
