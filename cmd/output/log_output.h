/*
 * log_output.h - all output to stderr, one line at a time.
 *
 * Log lines and the progress bar share the terminal: a line first erases the
 * bar and redraws it below, so the two never mix.  Every function but
 * log_output_init() and log_output_start() may be called from any thread.  A
 * line is one write(2), so two programs on one terminal do not tear each
 * other's lines.
 *
 * After log_output_start() no call waits for the reader.  Lines are dropped
 * while a reader stalls; when it continues, a line reports their number.
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
#include "output/background_writer.h"
#include "output/json_writer.h"

/* How long a stalled reader delays the end of the process. */
#define LOG_OUTPUT_PATIENCE_MS 3000U

struct log_output {
    int fd;                           /* borrowed */
    bool is_json;                     /* log lines and the final error */
    const char *side;                 /* "source", "target"; borrowed */
    struct background_writer *writer; /* NULL: the caller writes */
    pthread_mutex_t lock;             /* protects the fields below */
    unsigned dropped;                 /* lines since the last report */
    char status[512];                 /* the bottom line, or "" */
    unsigned status_columns;          /* width of status */
};

void log_output_init(struct log_output *log, int fd, bool is_json,
                     const char *side);

/* Starts the writer thread.  Call it with signals blocked, and before any other
 * thread prints.  Fails with ERROR_SYSTEM. */
int log_output_start(struct log_output *log, struct error *err);

/* Waits until all is written, at most LOG_OUTPUT_PATIENCE_MS.  Returns false if
 * the reader stalls. */
bool log_output_flush(struct log_output *log);

void log_output_line(struct log_output *log, enum cw_log_level level,
                     const char *line);

void log_output_printf(struct log_output *log, enum cw_log_level level,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints why the program failed, and flushes.  Call it last. */
void log_output_error(struct log_output *log, const struct cw_error *error);

/* Replaces the bottom line of a terminal; columns: width of text. */
void log_output_status(struct log_output *log, const char *text,
                       unsigned columns);

/* Ends the bottom line: keeps it as a separate line, or erases it. */
void log_output_end_status(struct log_output *log, bool keep);

/* Opens an object with ts and side; the next one prints it. */
void log_output_open_json(const struct log_output *log, struct json *json,
                          char *buf, size_t len);
void log_output_json(struct log_output *log, struct json *json);

#endif
