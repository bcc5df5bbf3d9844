/*
 * log_output.h - everything that goes to stderr, one line at a time.
 *
 * Log lines and the progress bar share the terminal: a line first erases the
 * bar and draws it again below, so the two never tangle.  Every function but
 * log_output_init() may be called from any thread.  A line is one write(2),
 * so two programs on one terminal do not tear each other's lines.
 *
 *   text   2026-11-21T02:33:44Z info  listening on [::]:8443
 *   json   {"ts":"2026-11-21T02:33:44.123Z","level":"info","msg":"...",
 *           "side":"target"}
 */
#ifndef CW_OUTPUT_LOG_OUTPUT_H
#define CW_OUTPUT_LOG_OUTPUT_H

#include <pthread.h>
#include <stdbool.h>

#include "clonewire/clonewire.h"
#include "output/json_writer.h"

struct log_output {
    int fd;           /* borrowed */
    bool is_json;     /* log lines and the final error */
    const char *side; /* "source", "target"; borrowed */
    pthread_mutex_t lock;
    char status[512];        /* what stands on the bottom line, or "" */
    unsigned status_columns; /* it takes */
};

void log_output_init(struct log_output *log, int fd, bool is_json,
                     const char *side);

void log_output_line(struct log_output *log, enum cw_log_level level,
                     const char *line);

/* The one line that says why the program failed.  Call it last. */
void log_output_error(struct log_output *log, const struct cw_error *error);

/* Replaces the bottom line of a terminal; columns: what text takes. */
void log_output_status(struct log_output *log, const char *text,
                       unsigned columns);

/* Ends the bottom line: it stays as a line of its own, or vanishes. */
void log_output_end_status(struct log_output *log, bool keep);

/* An object of the caller's: opened with ts and side in it, then printed. */
void log_output_open_json(const struct log_output *log, struct json *json,
                          char *buf, size_t len);
void log_output_json(struct log_output *log, struct json *json);

#endif
