#include "target/target_trust.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "plan/chunk_grid.h"
#include "transfer/disk_scan.h"
#include "transfer/readback.h"

/* Chunks that are read of those that a record claims: damage of one in 16 of
 * them is missed once in 62 times (0.9375^64). */
#define SAMPLES 64U

_Static_assert(DIGEST_MAC_BYTES == TLS_KEY_BYTES, "a key is a key");

bool target_trust_key(struct target *t, uint8_t key[DIGEST_MAC_BYTES])
{
    struct conn_info info;
    struct tls *tls;
    bool has_key;

    if (t->is_paired)
        return false;
    tls = job_share_tls(&t->job);
    conn_get_info(t->session.control.channel.conn, &info);
    has_key = tls_derive_key(tls, "checkpoint", info.peer_name, key);
    tls_close(tls);
    return has_key;
}

/* The claimed chunk at or after a random one. */
static uint64_t random_claim(const struct chunk_bitmap *claimed)
{
    uint64_t value = 0, first, count;

    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
        value = 0;
    if (!chunk_bitmap_next(claimed, value % claimed->chunks, &first, &count))
        chunk_bitmap_next(claimed, 0, &first, &count);
    return first;
}

/* 1: all samples are what the record claims; 0: one is not. */
static int check_samples(struct target *t, struct error *err)
{
    uint64_t chosen[SAMPLES];
    struct disk_scan scan = {
        .engine = t->job.resources.queue_engine,
        .image = readback_image(&t->job, t->sink),
        .virtual_bytes = t->session.hello.virtual_bytes,
        .stop = &t->job.state.stop,
        .chosen = chosen,
        .chosen_count = SAMPLES,
    };
    struct digest *here;
    int r;

    for (size_t i = 0; i < SAMPLES; i++)
        chosen[i] = random_claim(&t->checkpointer.claimed);
    if (digest_open((enum digest_algorithm)t->session.hello.digest,
                    scan.virtual_bytes, &here, err) < 0)
        return -1;
    sink_drop_cache(t->sink);
    r = disk_scan_run(&scan, here, err);
    if (r < 0)
        readback_failed(err, "samples of what the target holds");
    for (size_t i = 0; r == 0 && i < SAMPLES; i++)
        if (!digest_agrees(here, t->checkpointer.recorded, chosen[i]))
            r = 1;
    digest_close(here);
    return r < 0 ? -1 : r == 0;
}

/* NULL, or why the record is not believed. */
static const char *find_doubt(const struct target *t)
{
    if (!t->is_record_authentic)
        return "the checkpoint is not authenticated by this pair";
    if (t->checkpointer.head.stamp[0] == '\0')
        return "nothing tells whether it was written to since";
    if (strcmp(t->checkpointer.head.stamp, t->stamp) != 0)
        return "it was written to since the checkpoint";
    return NULL;
}

bool target_trust_is_asked(const struct target *t)
{
    return t->options.resume == CW_RESUME_TRUST || t->session.hello.asks_trust;
}

int target_trust(struct target *t, struct error *err)
{
    const char *doubt;
    int r = 1;

    if (!target_trust_is_asked(t) ||
        chunk_bitmap_count(&t->checkpointer.claimed) == 0)
        return 0;
    doubt = find_doubt(t);
    if (!doubt)
        r = check_samples(t, err);
    if (r < 0)
        return -1;
    if (r == 0)
        doubt = "a sample is not what the checkpoint claims";
    if (!doubt)
        return 1;
    log_warn("%s: --resume=trust does not apply: %s", t->options.destination,
             doubt);
    return 0;
}
