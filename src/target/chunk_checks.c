#include "target/chunk_checks.h"

#include <inttypes.h>
#include <string.h>

#include "plan/chunk_grid.h"

/* ---- foreign data ---- */

void chunk_checks_start(struct chunk_checks *checks, struct target_plan *plan,
                        uint64_t chunk)
{
    uint64_t len = chunk_grid_length(plan->virtual_bytes, chunk);
    uint8_t leaves[DIGEST_LEAVES_BYTES];

    checks->is_guarded = false;
    if (!plan->is_guarded)
        return;
    /* Without sums no block is known to be zero, and all are refused. */
    memset(checks->old, 0, sizeof(checks->old));
    checks->is_guarded = leaf_cache_get(&plan->leaves, chunk, leaves,
                                        checks->old);
    digest_zero_sums((size_t)len, checks->zero);
}

static int refuse(const struct target_plan *plan, uint64_t offset,
                  struct error *err)
{
    return error_set_at(err, ERROR_REFUSED, 0, offset,
                        "%s holds data at %" PRIu64 " that is not the "
                        "source's: say --yes (CLONEWIRE_YES=1) to overwrite "
                        "it",
                        plan->path, offset);
}

int chunk_checks_overwrite(const struct chunk_checks *checks,
                           const struct target_plan *plan, uint64_t offset,
                           const uint8_t *data, size_t len, struct error *err)
{
    size_t first = (size_t)(offset % CHUNK_BYTES / BLOCK_BYTES);
    uint8_t sums[DIGEST_SUMS_BYTES];

    if (!checks->is_guarded)
        return 0;
    if (data)
        digest_sums(data, len, sums);
    for (size_t i = 0; i * BLOCK_BYTES < len; i++) {
        size_t at = (first + i) * DIGEST_SUM_BYTES;
        const uint8_t *old = checks->old + at;

        if (memcmp(old, checks->zero + at, DIGEST_SUM_BYTES) != 0 &&
            (!data ||
             memcmp(old, sums + i * DIGEST_SUM_BYTES, DIGEST_SUM_BYTES) != 0))
            return refuse(plan, offset + i * BLOCK_BYTES, err);
    }
    return 0;
}

int chunk_checks_zero(struct target_plan *plan, uint64_t first, uint64_t count,
                      struct error *err)
{
    for (uint64_t chunk = first; plan->is_guarded && chunk < first + count;
         chunk++) {
        uint8_t leaves[DIGEST_LEAVES_BYTES];

        if (leaf_cache_get(&plan->leaves, chunk, leaves, NULL))
            return refuse(plan, chunk * CHUNK_BYTES, err);
    }
    return 0;
}

/* ---- the rest ---- */

int chunk_checks_foretold(struct target_plan *plan, uint64_t chunk,
                          const uint8_t *wanted, struct error *err)
{
    const struct digest *digest = plan->job->status.digest;
    uint64_t offset = chunk * CHUNK_BYTES;

    if (memcmp(digest_of(digest, chunk), wanted, digest_each(digest)) == 0)
        return 0;
    atomic_store(&plan->is_coarse, true);
    return error_set_at(err, ERROR_TEMPORARY, 0, offset,
                        "chunk at %" PRIu64 ": block-level delta gives the "
                        "wrong digest; retrying with 64 KiB leaves",
                        offset);
}
