/* source_state.c - queries that all parts of the source use. */
#include "source/source.h"

#include "base/clock.h"
#include "job/public_types.h"

/* How long a target waits for a line, which may come at any time. */
#define LINE_S 86400U

enum digest_algorithm source_digest(const struct source *s)
{
    return public_digest(s->options.digest);
}

struct disk_scan source_survey(const struct source *s)
{
    return (struct disk_scan){
        .image = s->plan.image,
        .engine = s->job.resources.queue_engine,
        .virtual_bytes = s->plan.virtual_bytes,
        .stop = &s->job.state.stop,
    };
}

int source_stay_alive(void *arg)
{
    struct source *s = arg;
    struct message message;
    int r = session_step(&s->session, &message);

    source_watch_lanes(s);
    if (r < 0)
        session_settle_error(&s->session);
    return r > 0 ? session_unexpected(&s->session, &message) : r;
}

uint32_t source_next_pass_s(const struct source *s)
{
    uint64_t seconds = s->options.follow_ns / CLOCK_SECOND_NS + 1;

    if (s->options.follow_ns == 0 || s->is_last)
        return 0;
    return seconds > LINE_S ? LINE_S : (uint32_t)seconds;
}
