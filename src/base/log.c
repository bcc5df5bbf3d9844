#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
    log_handler *handler;
    void *opaque;
    enum log_level level;
} destination;

void log_open(log_handler *handler, void *opaque, enum log_level level)
{
    destination.handler = handler;
    destination.opaque = opaque;
    destination.level = level;
}

bool log_wants(enum log_level level)
{
    return destination.handler && level <= destination.level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    if (!log_wants(level))
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    destination.handler(destination.opaque, level, line);
}
