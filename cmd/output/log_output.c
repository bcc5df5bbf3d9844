#include "output/log_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output/printable.h"
#include "output/summary.h"
#include "output/terminal.h"

#define LINE_BYTES 8192 /* a line of the library, every byte escaped */

static const char *const level_names[] = {
    [CW_LOG_ERROR] = "error",
    [CW_LOG_WARN] = "warn",
    [CW_LOG_INFO] = "info",
    [CW_LOG_DEBUG] = "debug",
};

/* "2026-11-21T02:33:44.123Z", or without the thousandths. */
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

/* There is nobody to tell when stderr itself fails. */
static void write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, text, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return;
        text += r;
        n -= (size_t)r;
    }
}

/*
 * The sequence that takes the status line off the terminal.  A window that
 * has become narrower has folded the line into several rows: up to the first
 * of them, then clear to the end of the screen.
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

/* Prints line above the status line.  Takes the lock. */
static void print(struct log_output *log, const char *line)
{
    char out[LINE_BYTES + sizeof(log->status) + 64], erase[32];
    int n;

    pthread_mutex_lock(&log->lock);
    format_erase(log, erase, sizeof(erase));
    n = snprintf(out, sizeof(out), "%s%s\n%s", erase, line, log->status);
    write_all(log->fd, out, (size_t)n);
    pthread_mutex_unlock(&log->lock);
}

void log_output_init(struct log_output *log, int fd, bool is_json,
                     const char *side)
{
    *log = (struct log_output){ .fd = fd, .is_json = is_json, .side = side };
    pthread_mutex_init(&log->lock, NULL);
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

static void print_json_line(struct log_output *log, enum cw_log_level level,
                            const char *line)
{
    char buf[LINE_BYTES];
    struct json json;

    log_output_open_json(log, &json, buf, sizeof(buf));
    json_add_text(&json, "level", level_names[level]);
    json_add_text(&json, "msg", line);
    log_output_json(log, &json);
}

static void print_text_line(struct log_output *log, enum cw_log_level level,
                            const char *line)
{
    char buf[LINE_BYTES], now[32];
    size_t used;

    format_time(now, sizeof(now), false);
    used = (size_t)snprintf(buf, sizeof(buf), "%s %-5s ", now,
                            level_names[level]);
    printable_escape(buf + used, sizeof(buf) - used, line);
    print(log, buf);
}

void log_output_line(struct log_output *log, enum cw_log_level level,
                     const char *line)
{
    if (log->is_json)
        print_json_line(log, level, line);
    else
        print_text_line(log, level, line);
}

static void print_json_error(struct log_output *log,
                             const struct cw_error *error)
{
    char buf[LINE_BYTES];
    struct json json;

    log_output_open_json(log, &json, buf, sizeof(buf));
    json_add_text(&json, "level", level_names[CW_LOG_ERROR]);
    json_add_text(&json, "msg", error->text);
    json_add_text(&json, "kind", error->kind);
    json_add_number(&json, "status", (uint64_t)error->status);
    json_add_number(&json, "errno", (uint64_t)error->errnum);
    if (error->offset == UINT64_MAX)
        json_add_null(&json, "offset");
    else
        json_add_number(&json, "offset", error->offset);
    json_add_bool(&json, "retryable", error->retryable);
    json_add_bool(&json, "from_peer", error->from_peer);
    json_add_text(&json, "hint", error->hint ? error->hint : "");
    summary_add_space(&json, &error->space);
    log_output_json(log, &json);
}

void log_output_error(struct log_output *log, const struct cw_error *error)
{
    char buf[LINE_BYTES];
    size_t used;

    log_output_end_status(log, false);
    if (log->is_json) {
        print_json_error(log, error);
        return;
    }
    used = (size_t)snprintf(buf, sizeof(buf), "%s: ", log->side);
    printable_escape(buf + used, sizeof(buf) - used, error->text);
    print(log, buf);
}

void log_output_status(struct log_output *log, const char *text,
                       unsigned columns)
{
    char out[sizeof(log->status) + 64], erase[32];
    int n;

    pthread_mutex_lock(&log->lock);
    format_erase(log, erase, sizeof(erase));
    snprintf(log->status, sizeof(log->status), "%s", text);
    log->status_columns = columns;
    n = snprintf(out, sizeof(out), "%s%s", erase, log->status);
    write_all(log->fd, out, (size_t)n);
    pthread_mutex_unlock(&log->lock);
}

void log_output_end_status(struct log_output *log, bool keep)
{
    char erase[32];

    pthread_mutex_lock(&log->lock);
    format_erase(log, erase, sizeof(erase));
    if (log->status[0] != '\0' && keep)
        write_all(log->fd, "\n", 1);
    else
        write_all(log->fd, erase, strlen(erase));
    log->status[0] = '\0';
    pthread_mutex_unlock(&log->lock);
}
