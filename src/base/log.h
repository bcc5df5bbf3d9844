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

#define LOG_LIMIT_PEERS 16U

/* Of one place in the code: when it logged, and how often it could not.  A time
 * is on the monotonic clock: no debt is left from there on. */
struct log_limit {
    uint64_t full_ns;
    unsigned dropped;
    struct log_limit_peer {
        uint64_t name; /* a hash */
        uint64_t full_ns;
    } peers[LOG_LIMIT_PEERS]; /* the last ones */
};

/*
 * May peer cause a line at now_ns?  Up to LOG_LIMIT_PEER_BURST lines at once and
 * one a second in the long run; all peers together LOG_LIMIT_BURST and one a
 * second.  peer: "ADDRESS:PORT", of which the port does not count; "": only
 * the share of all counts.  Returns whether it may, with the number of lines
 * dropped since the last one.
 */
bool log_limit_take(struct log_limit *limit, const char *peer, uint64_t now_ns,
                    unsigned *dropped);

/* As log_line(), for what a peer can cause as often as it likes.  The next line
 * that is logged says how many were dropped before it. */
void log_line_limited(struct log_limit *limit, const char *peer,
                      enum cw_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#define LOG_LIMIT_BURST      20U
#define LOG_LIMIT_PEER_BURST 5U

#define log_warn_limited(peer, ...)                                \
    do {                                                           \
        static struct log_limit limit_;                            \
        log_line_limited(&limit_, peer, CW_LOG_WARN, __VA_ARGS__); \
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
