/* iszero.h - is this memory all zero bytes? */
#ifndef CW_BASE_ISZERO_H
#define CW_BASE_ISZERO_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns true if all len bytes at p are zero (also if len is 0).
 *
 * A portable 64-bit OR loop that tests its result every 256 bytes: about 0.01
 * CPU s/GB on cached memory; AVX2 intrinsics gained nothing over it.
 */
bool iszero(const void *p, size_t len);

#endif
