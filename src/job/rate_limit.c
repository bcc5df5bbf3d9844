#include "job/rate_limit.h"

#include <poll.h>

#include "base/clock.h"

/* So much of a pause is made up for: on a busy machine every lane is late now
 * and then, and the rate is to hold all the same (2.5 % of ten seconds). */
#define CREDIT_NS (250 * CLOCK_MS_NS)

__extension__ typedef unsigned __int128 u128;

void rate_limit_set(struct rate_limit *pace, uint64_t bytes_per_second)
{
    atomic_store(&pace->bytes_per_second, bytes_per_second);
    atomic_store(&pace->free_ns, 0);
}

uint64_t rate_limit_admit(struct rate_limit *pace, uint64_t bytes,
                          uint64_t now_ns)
{
    uint64_t rate = atomic_load(&pace->bytes_per_second);
    uint64_t cost_ns = rate == 0
                           ? 0
                           : (uint64_t)((u128)bytes * CLOCK_SECOND_NS / rate);
    uint64_t free_ns = atomic_load(&pace->free_ns), begin_ns;
    uint64_t credit_ns = now_ns > CREDIT_NS ? now_ns - CREDIT_NS : 0;

    do
        begin_ns = free_ns > credit_ns ? free_ns : credit_ns;
    while (!atomic_compare_exchange_weak(&pace->free_ns, &free_ns,
                                         begin_ns + cost_ns));
    return begin_ns;
}

uint64_t rate_limit_wait(struct rate_limit *pace, uint64_t bytes, int stop_fd)
{
    struct pollfd fd = { .fd = stop_fd, .events = POLLIN };
    uint64_t rate = atomic_load(&pace->bytes_per_second);
    uint64_t came_ns, now_ns, begin_ns;

    if (rate == 0)
        return 0;
    came_ns = now_ns = clock_now_ns();
    begin_ns = rate_limit_admit(pace, bytes, now_ns);
    for (; now_ns < begin_ns; now_ns = clock_now_ns()) {
        uint64_t ms = (begin_ns - now_ns) / CLOCK_MS_NS + 1;

        if (poll(&fd, 1, (int)(ms < 500 ? ms : 500)) > 0 ||
            atomic_load(&pace->bytes_per_second) != rate)
            break;
    }
    return now_ns - came_ns;
}
