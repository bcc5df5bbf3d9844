#include "plan/compress_policy.h"

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS     UINT64_C(1000000)

/* Long enough to average out link jitter and full socket buffers (4 MiB at
 * each end). */
#define WINDOW_NS (500 * MS_NS)

/* Minimum data in a window: less gives no usable rate. */
#define WINDOW_BYTES (UINT64_C(1) << 20)

/* Half the speed of zstd 1 on one core, 0.3 to 0.4 GB/s: above it, compression
 * could win only a part of what it saves. */
#define SLOW_RATE UINT64_C(150000000)

#define PAUSE_MIN_NS (1 * SECOND_NS)
#define PAUSE_MAX_NS (32 * SECOND_NS)

__extension__ typedef unsigned __int128 u128;

static uint64_t rate_of(uint64_t bytes, uint64_t ns)
{
    u128 rate = (u128)bytes * SECOND_NS / (ns > 0 ? ns : 1);

    return rate < UINT64_MAX ? (uint64_t)rate : UINT64_MAX;
}

/* Is a better than b by a quarter? */
static bool is_gain(uint64_t a, uint64_t b)
{
    return (u128)a * 4 >= (u128)b * 5;
}

static bool waits_for_network(const struct compress_policy *c, uint64_t now_ns)
{
    return c->wait_ns >= (now_ns - c->start_ns) / 2;
}

static void lengthen_pause(struct compress_policy *c)
{
    c->pause_ns = c->pause_ns == 0 ? PAUSE_MIN_NS : c->pause_ns * 2;
    if (c->pause_ns > PAUSE_MAX_NS)
        c->pause_ns = PAUSE_MAX_NS;
}

/* A codec with a known rate must be able to win a quarter. */
static bool is_slow(const struct compress_policy *c)
{
    if (c->pack_rate == 0)
        return c->raw_rate <= SLOW_RATE;
    return is_gain(c->pack_rate, c->raw_rate);
}

/* The window was sent uncompressed: is compression worth a try? */
static bool try_packing(struct compress_policy *c, uint64_t now_ns)
{
    c->raw_rate = rate_of(c->plain_bytes, c->send_ns);
    if (c->target_at_disk || !waits_for_network(c, now_ns) || !is_slow(c)) {
        c->pause_ns = 0; /* conditions have changed completely */
        return false;
    }
    c->look_ns = now_ns + c->pause_ns;
    return now_ns >= c->again_ns;
}

/* The window was compressed: continue? */
static bool go_on_packing(struct compress_policy *c, uint64_t now_ns)
{
    c->pack_rate = rate_of(c->plain_bytes, c->pack_ns);
    if (!is_gain(c->plain_bytes, c->sent_bytes) ||
        !is_gain(rate_of(c->plain_bytes, c->send_ns), c->raw_rate)) {
        lengthen_pause(c);
        c->again_ns = now_ns + c->pause_ns;
        return false;
    }
    if (waits_for_network(c, now_ns) || now_ns < c->look_ns)
        return true;
    /* The network could take more than we compress: measure without. */
    lengthen_pause(c);
    return false;
}

bool compress_policy_wanted(const struct compress_policy *c)
{
    return c->wish == COMPRESS_ALWAYS ||
           (c->wish == COMPRESS_AUTO && c->is_packing);
}

bool compress_policy_note(struct compress_policy *c,
                          const struct compress_policy_sent *sent)
{
    bool was_packing = c->is_packing;

    if (c->wish != COMPRESS_AUTO)
        return false;
    if (c->start_ns == 0)
        c->start_ns = sent->now_ns - sent->send_ns;
    c->plain_bytes += sent->plain_bytes;
    c->sent_bytes += sent->sent_bytes;
    c->pack_ns += sent->pack_ns;
    c->send_ns += sent->send_ns;
    c->wait_ns += sent->wait_ns;
    c->target_at_disk = sent->target_at_disk;
    if (sent->now_ns - c->start_ns < WINDOW_NS || c->plain_bytes < WINDOW_BYTES)
        return false;

    if (was_packing)
        c->is_packing = go_on_packing(c, sent->now_ns);
    else if (!c->is_settling)
        c->is_packing = try_packing(c, sent->now_ns);
    c->is_settling = was_packing && !c->is_packing;
    c->start_ns = sent->now_ns;
    c->plain_bytes = c->sent_bytes = 0;
    c->pack_ns = c->send_ns = c->wait_ns = 0;
    return c->is_packing != was_packing;
}
