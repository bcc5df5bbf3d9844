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

struct display {
    struct log_print *log; /* borrowed */
    struct log_print *to;  /* where JSON goes: log, or json */
    struct log_print json; /* for a file descriptor that was named */
    enum rows_progress style;
    bool colour;
    pthread_mutex_t lock; /* over what follows */
    struct bar bar;
    enum cw_phase phase;
    bool has_phase;
    uint64_t last_line_ns; /* plain: when a line was printed */
};

/* False: progress is wanted on a file descriptor that is not open. */
bool display_is_possible(const struct rows_output *output);

/* output: what was asked for; auto looks at where the log goes. */
void display_init(struct display *display, struct log_print *log,
                  const struct rows_output *output);

void display_update(struct display *display,
                    const struct cw_progress *progress);

/* Before the summary or the error: a finished bar stays, others vanish. */
void display_finish(struct display *display);

#endif
