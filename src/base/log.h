/*
 * log.h - one line per event, to the handler of the process.
 *
 * Any thread may log.  A line has no trailing newline and never contains keys,
 * secrets or payload.  Levels: error (exactly one per failed run, by main),
 * warn (a problem that we handled), info (about 20 lines per run), debug (per
 * extent).
 */
#ifndef CW_BASE_LOG_H
#define CW_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

/* Receives one formatted line, on the thread that logged it. */
typedef void log_handler(void *opaque, enum cw_log_level level,
                         const char *line);

/*
 * Sends lines of level or more urgent to handler (borrowed, like opaque, until
 * the next call).  Call it before threads start; by default nothing is logged.
 */
void log_open(log_handler *handler, void *opaque, enum cw_log_level level);

/* Is this level logged?  Guards costly debug lines. */
bool log_wants(enum cw_log_level level);

void log_line(enum cw_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Of one place in the code: when it logged, and how often it could not. */
struct log_limit {
    uint64_t full_ns; /* on the monotonic clock: no debt is left from here on */
    unsigned dropped;
};

/*
 * As log_line(), for what a peer can cause as often as it likes: up to 20 lines
 * at once and one a second in the long run.  The next line that is logged says
 * how many were dropped before it.
 */
void log_line_limited(struct log_limit *limit, enum cw_log_level level,
                      const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_warn_limited(...)                                \
    do {                                                     \
        static struct log_limit limit_;                      \
        log_line_limited(&limit_, CW_LOG_WARN, __VA_ARGS__); \
    } while (0)
#define log_error(...) log_line(CW_LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(CW_LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(CW_LOG_INFO, __VA_ARGS__)
#define log_debug(...)                           \
    do {                                         \
        if (log_wants(CW_LOG_DEBUG))             \
            log_line(CW_LOG_DEBUG, __VA_ARGS__); \
    } while (0)

#endif
