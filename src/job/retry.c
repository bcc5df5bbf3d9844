#include "job/retry.h"

#include <sys/random.h>

#include "base/clock.h"
#include "clonewire/clonewire.h"

bool retry_again(struct retry *retry, uint64_t done, uint64_t now_ns)
{
    if (retry->budget_ns == CW_RETRY_OFF)
        return false;
    if (retry->deadline_ns == 0 || done > retry->done)
        retry->deadline_ns = now_ns + retry->budget_ns;
    retry->done = done;
    return now_ns < retry->deadline_ns;
}

bool retry_is_passing(const struct error *err)
{
    return err->kind == ERROR_TEMPORARY || err->kind == ERROR_BUSY ||
           err->kind == ERROR_TLS;
}

unsigned retry_jitter_ms(unsigned ms)
{
    uint32_t noise = 0;

    if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) < 0)
        noise = (uint32_t)clock_now_ns();
    return ms / 2 + noise % (ms / 2 + 1);
}
