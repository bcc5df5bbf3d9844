#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

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

        snprintf(line + len, sizeof(line) - len, "; %u more like this",
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

/* FNV-1a over the address: the text up to the last colon. */
static uint64_t hash_address(const char *peer)
{
    const char *colon = strrchr(peer, ':');
    size_t len = colon ? (size_t)(colon - peer) : strlen(peer);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)peer[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The entry of a peer; a new one takes the place of the quietest. */
static struct log_limit_peer *find_peer(struct log_limit *limit,
                                        const char *peer)
{
    struct log_limit_peer *oldest = &limit->peers[0];
    uint64_t name = hash_address(peer);

    for (unsigned i = 0; i < LOG_LIMIT_PEERS; i++) {
        if (limit->peers[i].name == name)
            return &limit->peers[i];
        if (limit->peers[i].full_ns < oldest->full_ns)
            oldest = &limit->peers[i];
    }
    *oldest = (struct log_limit_peer){ .name = name };
    return oldest;
}

/* Each line costs a second, of which burst may be borrowed. */
static bool may_borrow(uint64_t *full_ns, unsigned burst, uint64_t now_ns)
{
    if (*full_ns < now_ns)
        *full_ns = now_ns;
    return *full_ns - now_ns <= (burst - 1) * CLOCK_SECOND_NS;
}

bool log_limit_take(struct log_limit *limit, const char *peer, uint64_t now_ns,
                    unsigned *dropped)
{
    struct log_limit_peer *own = peer[0] ? find_peer(limit, peer) : NULL;

    if ((own && !may_borrow(&own->full_ns, LOG_LIMIT_PEER_BURST, now_ns)) ||
        !may_borrow(&limit->full_ns, LOG_LIMIT_BURST, now_ns)) {
        limit->dropped++;
        return false;
    }
    if (own)
        own->full_ns += CLOCK_SECOND_NS;
    limit->full_ns += CLOCK_SECOND_NS;
    *dropped = limit->dropped;
    limit->dropped = 0;
    return true;
}

void log_line_limited(struct log_limit *limit, const char *peer,
                      enum cw_log_level level, const char *fmt, ...)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    unsigned dropped = 0;
    bool may_log;
    va_list ap;

    if (!log_wants(level))
        return;
    pthread_mutex_lock(&lock);
    may_log = log_limit_take(limit, peer, clock_now_ns(), &dropped);
    pthread_mutex_unlock(&lock);
    if (!may_log)
        return;
    va_start(ap, fmt);
    format_line(level, fmt, ap, dropped);
    va_end(ap);
}
