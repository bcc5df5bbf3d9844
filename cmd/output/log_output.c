#include "output/log_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/printable.h"
#include "output/standard_streams.h"
#include "output/summary.h"
#include "output/terminal.h"

#define LINE_BYTES   8192 /* a line of the library, all bytes escaped */
#define BEHIND_BYTES 4096 /* a few redraws of the status line */

static const char *const level_names[] = {
    [CW_LOG_ERROR] = "error",
    [CW_LOG_WARN] = "warn",
    [CW_LOG_INFO] = "info",
    [CW_LOG_DEBUG] = "debug",
};

/* "2026-11-21T02:33:44.123Z", or without milliseconds. */
static void format_time(char *buf, size_t len, bool with_ms)
{
    struct timespec now;
    struct tm utc;
    size_t used;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(buf, len, "%Y-%m-%dT%H:%M:%S", &utc);
    if (with_ms)
        snprintf(buf + used, len - used, ".%03ldZ", now.tv_nsec / 1000000);
    else
        snprintf(buf + used, len - used, "Z");
}

/* Returns false if dropped.  Called with the lock held, like the next ones. */
static bool put_bytes(struct log_output *log, const char *text, size_t n)
{
    if (log->writer)
        return background_writer_put(log->writer, text, n);
    /* Ignores errors: there is no other place to report them. */
    (void)standard_streams_write(log->fd, text, n);
    return true;
}

/*
 * The sequence that erases the status line.  A window that became narrower has
 * wrapped the line into several rows: move up to the first of them, then clear
 * to the end of the screen.
 */
static void format_erase(const struct log_output *log, char *buf, size_t len)
{
    unsigned rows_above;

    buf[0] = '\0';
    if (log->status[0] == '\0')
        return;
    rows_above = log->status_columns == 0
                     ? 0
                     : (log->status_columns - 1) / terminal_columns(log->fd);
    if (rows_above > 0)
        snprintf(buf, len, "\033[%uA\r\033[J", rows_above);
    else
        snprintf(buf, len, "\r\033[K");
}

/* Prints line above the status line. */
static bool put_line(struct log_output *log, const char *line)
{
    char out[LINE_BYTES + sizeof(log->status) + 64], erase[32];
    int n;

    format_erase(log, erase, sizeof(erase));
    n = snprintf(out, sizeof(out), "%s%s\n%s", erase, line, log->status);
    return put_bytes(log, out, (size_t)n);
}

static void format_json_line(const struct log_output *log,
                             enum cw_log_level level, const char *line,
                             char buf[LINE_BYTES])
{
    struct json json;

    log_output_open_json(log, &json, buf, LINE_BYTES);
    json_add_text(&json, "level", level_names[level]);
    json_add_text(&json, "msg", line);
    json_close(&json);
}

static void format_text_line(enum cw_log_level level, const char *line,
                             char buf[LINE_BYTES])
{
    char now[32];
    size_t used;

    format_time(now, sizeof(now), false);
    used = (size_t)snprintf(buf, LINE_BYTES, "%s %-5s ", now,
                            level_names[level]);
    printable_escape(buf + used, LINE_BYTES - used, line);
}

static void format_line(const struct log_output *log, enum cw_log_level level,
                        const char *line, char buf[LINE_BYTES])
{
    if (log->is_json)
        format_json_line(log, level, line, buf);
    else
        format_text_line(level, line, buf);
}

/* Reports dropped lines once the reader has read the whole queue. */
static void report_dropped(struct log_output *log)
{
    char line[96], buf[LINE_BYTES];

    if (log->dropped == 0 || background_writer_pending(log->writer) > 0)
        return;
    snprintf(line, sizeof(line),
             "%u lines dropped here: their reader was too slow", log->dropped);
    format_line(log, CW_LOG_WARN, line, buf);
    if (put_line(log, buf))
        log->dropped = 0;
}

/* Takes the lock. */
static void print(struct log_output *log, const char *line)
{
    pthread_mutex_lock(&log->lock);
    report_dropped(log);
    log->dropped += !put_line(log, line);
    pthread_mutex_unlock(&log->lock);
}

void log_output_init(struct log_output *log, int fd, bool is_json,
                     const char *side)
{
    *log = (struct log_output){ .fd = fd, .is_json = is_json, .side = side };
    pthread_mutex_init(&log->lock, NULL);
}

int log_output_start(struct log_output *log, struct error *err)
{
    log->writer = background_writer_start(log->fd, err);
    return log->writer ? 0 : -1;
}

bool log_output_flush(struct log_output *log)
{
    if (!log->writer)
        return true;
    if (!background_writer_flush(log->writer, LOG_OUTPUT_PATIENCE_MS))
        return false;
    pthread_mutex_lock(&log->lock);
    report_dropped(log);
    pthread_mutex_unlock(&log->lock);
    return background_writer_flush(log->writer, LOG_OUTPUT_PATIENCE_MS);
}

void log_output_open_json(const struct log_output *log, struct json *json,
                          char *buf, size_t len)
{
    char now[32];

    format_time(now, sizeof(now), true);
    json_open(json, buf, len);
    json_add_text(json, "ts", now);
    json_add_text(json, "side", log->side);
}

void log_output_json(struct log_output *log, struct json *json)
{
    print(log, json_close(json));
}

void log_output_line(struct log_output *log, enum cw_log_level level,
                     const char *line)
{
    char buf[LINE_BYTES];

    format_line(log, level, line, buf);
    print(log, buf);
}

void log_output_printf(struct log_output *log, enum cw_log_level level,
                       const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_output_line(log, level, line);
}

static void print_json_error(struct log_output *log,
                             const struct cw_error *error)
{
    char buf[LINE_BYTES];
    struct json json;

    log_output_open_json(log, &json, buf, sizeof(buf));
    json_add_text(&json, "level", level_names[CW_LOG_ERROR]);
    json_add_text(&json, "msg", error->text);
    summary_add_error(&json, error);
    log_output_json(log, &json);
}

static void print_text_error(struct log_output *log,
                             const struct cw_error *error)
{
    char buf[LINE_BYTES];
    size_t used;

    used = (size_t)snprintf(buf, sizeof(buf), "%s: ", log->side);
    printable_escape(buf + used, sizeof(buf) - used, error->text);
    print(log, buf);
}

/* Makes room first: this line must not be dropped. */
void log_output_error(struct log_output *log, const struct cw_error *error)
{
    bool is_read;

    log_output_end_status(log, false);
    is_read = log_output_flush(log);
    if (log->is_json)
        print_json_error(log, error);
    else
        print_text_error(log, error);
    if (is_read)
        log_output_flush(log);
}

/* Not queued while the terminal stalls (Ctrl-S): the next update redraws it. */
void log_output_status(struct log_output *log, const char *text,
                       unsigned columns)
{
    char out[sizeof(log->status) + 64], erase[32];
    int n;

    if (log->writer && background_writer_pending(log->writer) > BEHIND_BYTES)
        return;
    pthread_mutex_lock(&log->lock);
    format_erase(log, erase, sizeof(erase));
    n = snprintf(out, sizeof(out), "%s%s", erase, text);
    if (put_bytes(log, out, (size_t)n)) {
        snprintf(log->status, sizeof(log->status), "%s", text);
        log->status_columns = columns;
    }
    pthread_mutex_unlock(&log->lock);
}

void log_output_end_status(struct log_output *log, bool keep)
{
    char erase[32];

    pthread_mutex_lock(&log->lock);
    format_erase(log, erase, sizeof(erase));
    if (log->status[0] != '\0' && keep)
        put_bytes(log, "\n", 1);
    else if (erase[0] != '\0')
        put_bytes(log, erase, strlen(erase));
    log->status[0] = '\0';
    pthread_mutex_unlock(&log->lock);
}
