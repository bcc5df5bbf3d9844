/*
 * chunk_grid.h - the fixed grid of chunks over a disk.  Pure.
 *
 * Digests, resume and claims are kept per chunk of 1 MiB; the last chunk of
 * a disk may be shorter.  One chunk is also one buffer and one read.
 */
#ifndef CW_PLAN_CHUNK_GRID_H
#define CW_PLAN_CHUNK_GRID_H

#include <stdint.h>

#define GRID_CHUNK_BYTES (UINT64_C(1) << 20)

/*
 * Zero runs shorter than this, or not on this boundary, are sent as data.
 * 4096: the block of the usual filesystem and the largest common sector.
 */
#define GRID_GRAIN_BYTES UINT64_C(4096)

/* Chunks that cover virtual_bytes; 0 for an empty disk. */
static inline uint64_t grid_count(uint64_t virtual_bytes)
{
    return virtual_bytes / GRID_CHUNK_BYTES +
           (virtual_bytes % GRID_CHUNK_BYTES != 0);
}

/* Bytes of chunk index, which is below grid_count(virtual_bytes). */
static inline uint64_t grid_length(uint64_t virtual_bytes, uint64_t index)
{
    uint64_t left = virtual_bytes - index * GRID_CHUNK_BYTES;

    return left < GRID_CHUNK_BYTES ? left : GRID_CHUNK_BYTES;
}

#endif
