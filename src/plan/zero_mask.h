/*
 * zero_mask.h - leaves of a chunk that are known to be zero, as a bit each, so
 * that nobody has to clear, scan or digest the bytes of a buffer for them.
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
 * leaves that lie in there as a whole: their bytes are left as they are, and
 * mean nothing.  Clears the bytes of the others.
 */
unsigned zero_mask_out(uint8_t *buf, size_t len, size_t begin, size_t end);

/* Is the byte at at in a blank leaf? */
bool zero_mask_at(unsigned blank, size_t at);

#endif
