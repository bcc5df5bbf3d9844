#include "plan/bottleneck.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/parse.h"

__extension__ typedef unsigned __int128 u128;

/* A wait shorter than this share is noise. */
#define MIN_WAIT_PERCENT 25U

static unsigned percent_of(const struct bottleneck_facts *f, uint64_t wait_ns)
{
    u128 whole_ns = (u128)f->elapsed_ns * f->lanes;
    u128 percent = (u128)wait_ns * 100 / whole_ns;

    return percent > 100 ? 100 : (unsigned)percent;
}

/* Bytes per second of one end without its waits for the other. */
static uint64_t alone(const struct bottleneck_facts *f, unsigned waited_percent)
{
    uint64_t worked = waited_percent > 95 ? 5 : 100 - waited_percent;
    u128 ns = (u128)f->elapsed_ns * worked / 100;

    return ns == 0 ? 0 : (uint64_t)((u128)f->data_bytes * CLOCK_SECOND_NS / ns);
}

static int say(char *buf, size_t len, const char *what, unsigned percent)
{
    return snprintf(buf, len, "%s: %u %% of the time waiting there", what,
                    percent);
}

static bool is_paced(const struct bottleneck_facts *f)
{
    unsigned paced = percent_of(f, f->paced_ns);

    return paced >= MIN_WAIT_PERCENT &&
           paced >= percent_of(f, f->source_net_ns) / 2;
}

/* Names the limiting end; returns the number of characters written. */
static int name_limit(const struct bottleneck_facts *f, char *buf, size_t len)
{
    unsigned reads = percent_of(f, f->source_disk_ns);
    unsigned writes = percent_of(f, f->target_disk_ns);
    unsigned sends = percent_of(f, f->source_net_ns);
    unsigned receives = percent_of(f, f->target_net_ns);
    unsigned paced = percent_of(f, f->paced_ns);

    if (writes >= MIN_WAIT_PERCENT && writes >= reads)
        return say(buf, len, "target writes", writes);
    if (reads >= MIN_WAIT_PERCENT)
        return say(buf, len, "source reads", reads);
    if (is_paced(f))
        return say(buf, len, "the rate asked for", paced);
    /* For this share of the time both waited at once, so neither waited for
     * the other; ends that share busy CPUs wait for each other in turn. */
    if (sends + receives >= 100 + MIN_WAIT_PERCENT)
        return say(buf, len, "network", sends < receives ? sends : receives);
    if (sends >= MIN_WAIT_PERCENT && sends >= receives)
        return say(buf, len, "CPU of the target", sends);
    if (receives >= MIN_WAIT_PERCENT)
        return say(buf, len, "CPU of the source", receives);
    return snprintf(buf, len, "CPU of both ends");
}

const char *bottleneck_format(const struct bottleneck_facts *f, char *buf,
                              size_t len)
{
    char source[32], target[32];
    int used;

    buf[0] = '\0';
    if (f->data_bytes == 0 || f->elapsed_ns == 0 || f->lanes == 0)
        return buf;
    used = name_limit(f, buf, len);
    /* At a rate that was asked for, waits do not tell what each end could do. */
    if (used < 0 || (size_t)used >= len || is_paced(f))
        return buf;
    format_bytes(source, sizeof(source),
                 alone(f, percent_of(f, f->source_net_ns)));
    format_bytes(target, sizeof(target),
                 alone(f, percent_of(f, f->target_net_ns)));
    snprintf(buf + used, len - (size_t)used,
             "; alone, source could do %s/s, target %s/s", source, target);
    return buf;
}
