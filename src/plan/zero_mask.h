/*
 * zero_mask.h - the leaves of a chunk that are known to be zero, one bit each,
 * so that no code clears, scans or digests their bytes in a buffer.
 *
 *   a hole, or a ZERO frame -> zero_mask_out -> chunk_run_end, digest_leaves
 */
#ifndef CW_PLAN_ZERO_MASK_H
#define CW_PLAN_ZERO_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes [begin, end) of the chunk of len bytes at buf are zero.  Returns the
 * leaves that lie completely in this range: their bytes in buf stay unchanged
 * and are undefined.  Clears the bytes of the other leaves.
 */
unsigned zero_mask_out(uint8_t *buf, size_t len, size_t begin, size_t end);

/* Is byte at in a blank leaf? */
bool zero_mask_at(unsigned blank, size_t at);

#endif
