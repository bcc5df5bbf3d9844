#include "base/clock.h"

#include <limits.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * CLOCK_SECOND_NS + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int clock_until_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns(), ms;

    if (now_ns >= deadline_ns)
        return 0;
    ms = (deadline_ns - now_ns + CLOCK_MS_NS - 1) / CLOCK_MS_NS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

uint64_t clock_unix_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
