#include "job/rate_limit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

#define RECORD_BYTES 16384U

/* Maximum pause to make up for: on a busy machine every lane is late now and
 * then, and the rate must hold nevertheless (2.5 % of ten seconds). */
#define CREDIT_NS (250 * CLOCK_MS_NS)

__extension__ typedef unsigned __int128 u128;

void rate_limit_set(struct rate_limit *limit, uint64_t bytes_per_second)
{
    atomic_store(&limit->bytes_per_second, bytes_per_second);
    atomic_store(&limit->free_ns, 0);
}

uint64_t rate_limit_admit(struct rate_limit *limit, uint64_t bytes,
                          uint64_t now_ns)
{
    uint64_t rate = atomic_load(&limit->bytes_per_second);
    uint64_t cost_ns = rate == 0
                           ? 0
                           : (uint64_t)((u128)bytes * CLOCK_SECOND_NS / rate);
    uint64_t free_ns = atomic_load(&limit->free_ns), begin_ns;
    uint64_t credit_ns = now_ns > CREDIT_NS ? now_ns - CREDIT_NS : 0;

    do
        begin_ns = free_ns > credit_ns ? free_ns : credit_ns;
    while (!atomic_compare_exchange_weak(&limit->free_ns, &free_ns,
                                         begin_ns + cost_ns));
    return begin_ns;
}

size_t rate_limit_piece(const struct rate_limit *limit)
{
    uint64_t rate = atomic_load(&limit->bytes_per_second);

    if (rate == 0)
        return SIZE_MAX;
    return rate / 4 > RECORD_BYTES ? (size_t)(rate / 4) : RECORD_BYTES;
}

uint64_t rate_limit_wait(struct rate_limit *limit, uint64_t bytes, int stop_fd)
{
    struct pollfd fd = { .fd = stop_fd, .events = POLLIN };
    uint64_t rate = atomic_load(&limit->bytes_per_second);
    uint64_t came_ns, now_ns, begin_ns;

    if (rate == 0)
        return 0;
    came_ns = now_ns = clock_now_ns();
    begin_ns = rate_limit_admit(limit, bytes, now_ns);
    for (; now_ns < begin_ns; now_ns = clock_now_ns()) {
        uint64_t ms = (begin_ns - now_ns) / CLOCK_MS_NS + 1;

        if (poll(&fd, 1, (int)(ms < 500 ? ms : 500)) > 0 ||
            atomic_load(&limit->bytes_per_second) != rate)
            break;
    }
    return now_ns - came_ns;
}

static void auto_close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

int rate_limit_read(const char *path, uint64_t *bytes_per_second,
                    struct error *err)
{
    AUTO(auto_close_stream) FILE *stream = fopen(path, "re");
    char text[64];
    uint64_t rate = 0;

    if (!stream || !fgets(text, sizeof(text), stream))
        return error_set(err, ERROR_USAGE, stream ? 0 : errno,
                         "read a rate from %s", path);
    text[strcspn(text, " \t\r\n")] = '\0';
    if (strcmp(text, "off") != 0 &&
        (!parse_bytes(text, &rate) || rate < RATE_LIMIT_MIN_BYTES))
        return error_set(
            err, ERROR_USAGE, 0,
            "%s: \"%s\" is neither off nor a rate of 64KiB a second "
            "or more",
            path, text);
    *bytes_per_second = rate;
    return 0;
}
