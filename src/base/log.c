#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define LIMIT_BURST 20U

static struct {
    log_handler *handler;
    void *opaque;
    enum cw_log_level level;
} destination;

void log_open(log_handler *handler, void *opaque, enum cw_log_level level)
{
    destination.handler = handler;
    destination.opaque = opaque;
    destination.level = level;
}

bool log_wants(enum cw_log_level level)
{
    return destination.handler && level <= destination.level;
}

static void format_line(enum cw_log_level level, const char *fmt, va_list ap,
                        unsigned dropped) __attribute__((format(printf, 2, 0)));

static void format_line(enum cw_log_level level, const char *fmt, va_list ap,
                        unsigned dropped)
{
    char line[1024];

    vsnprintf(line, sizeof(line), fmt, ap);
    if (dropped > 0) {
        size_t len = strlen(line);

        snprintf(line + len, sizeof(line) - len, " (and %u like it before)",
                 dropped);
    }
    destination.handler(destination.opaque, level, line);
}

void log_line(enum cw_log_level level, const char *fmt, ...)
{
    va_list ap;

    if (!log_wants(level))
        return;
    va_start(ap, fmt);
    format_line(level, fmt, ap, 0);
    va_end(ap);
}

/* Each line costs a second, of which LIMIT_BURST may be borrowed.  False:
 * drop it. */
static bool take_turn(struct log_limit *limit, unsigned *dropped)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t now_ns = clock_now_ns();
    bool may_log;

    pthread_mutex_lock(&lock);
    if (limit->full_ns < now_ns)
        limit->full_ns = now_ns;
    may_log = limit->full_ns - now_ns <= (LIMIT_BURST - 1) * CLOCK_SECOND_NS;
    *dropped = may_log ? limit->dropped : 0;
    if (may_log) {
        limit->full_ns += CLOCK_SECOND_NS;
        limit->dropped = 0;
    } else {
        limit->dropped++;
    }
    pthread_mutex_unlock(&lock);
    return may_log;
}

void log_line_limited(struct log_limit *limit, enum cw_log_level level,
                      const char *fmt, ...)
{
    unsigned dropped;
    va_list ap;

    if (!log_wants(level) || !take_turn(limit, &dropped))
        return;
    va_start(ap, fmt);
    format_line(level, fmt, ap, dropped);
    va_end(ap);
}
