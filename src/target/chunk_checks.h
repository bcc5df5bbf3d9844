/*
 * chunk_checks.h - what has to hold of a chunk before it is written.
 *
 * On a device without --yes that was recognized by samples only,
 * each 4 KiB block that would be overwritten must be zero, or already have
 * the new bytes: anything else is foreign data.
 */
#ifndef CW_TARGET_CHUNK_CHECKS_H
#define CW_TARGET_CHUNK_CHECKS_H

#include "target/receive_worker.h"

/* What the scan found in a chunk, where it is not all zero. */
struct chunk_checks {
    bool is_guarded;                 /* else nothing is checked */
    uint8_t old[DIGEST_SUMS_BYTES];  /* sums of the blocks there */
    uint8_t zero[DIGEST_SUMS_BYTES]; /* of zero blocks */
};

/* Takes what is known of chunk from plan->leaves, before it is dropped. */
void chunk_checks_start(struct chunk_checks *checks, struct target_plan *plan,
                        uint64_t chunk);

/*
 * May len bytes at offset of the disk become those at data (NULL: zeros)?
 * They lie in the chunk, on the boundaries of blocks.  ERROR_REFUSED.
 */
int chunk_checks_overwrite(const struct chunk_checks *checks,
                           const struct target_plan *plan, uint64_t offset,
                           const uint8_t *data, size_t len, struct error *err);

/* May whole chunks become zero?  ERROR_REFUSED. */
int chunk_checks_zero(struct target_plan *plan, uint64_t first, uint64_t count,
                      struct error *err);

/* Is the chunk, put together by sums, what its PATCH foretold?
 * ERROR_TEMPORARY, and sums are off from then on. */
int chunk_checks_foretold(struct target_plan *plan, uint64_t chunk,
                          const uint8_t *wanted, struct error *err);

#endif
