/*
 * log_output.h - everything that goes to stderr, one line at a time.
 *
 * Log lines and the progress bar share the terminal: a line first erases the
 * bar and draws it again below, so the two never tangle.  Every function but
 * log_output_init() and log_output_start() may be called from any thread.  A
 * line is one write(2), so two programs on one terminal do not tear each
 * other's lines.
 *
 * After log_output_start() no call waits for the reader: lines that a reader
 * who stands still does not take are dropped, and when it reads on, a line
 * says how many there were.
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

/* A reader that stands still holds up the end of the process so long. */
#define LOG_OUTPUT_PATIENCE_MS 3000U

struct log_output {
    int fd;                           /* borrowed */
    bool is_json;                     /* log lines and the final error */
    const char *side;                 /* "source", "target"; borrowed */
    struct background_writer *writer; /* NULL: whoever prints writes */
    pthread_mutex_t lock;             /* over what follows */
    unsigned dropped;                 /* lines, since it was last said */
    char status[512];        /* what stands on the bottom line, or "" */
    unsigned status_columns; /* it takes */
};

void log_output_init(struct log_output *log, int fd, bool is_json,
                     const char *side);

/* From now on a thread writes.  Call it when signals are blocked, and before
 * any other thread prints.  ERROR_SYSTEM. */
int log_output_start(struct log_output *log, struct error *err);

/* Waits until all is written, for LOG_OUTPUT_PATIENCE_MS at most.  False: the
 * reader stands still. */
bool log_output_flush(struct log_output *log);

void log_output_line(struct log_output *log, enum cw_log_level level,
                     const char *line);

/* The one line that says why the program failed.  Call it last: flushes. */
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
