/*
 * chunk_grid.h - the fixed grid of chunks over a disk.  Pure.
 *
 * Digests, resume and claims are kept per chunk of 1 MiB; the last chunk of
 * a disk may be shorter.  One chunk is also one buffer and one read.
 */
#ifndef CW_PLAN_CHUNK_GRID_H
#define CW_PLAN_CHUNK_GRID_H

#include <stdint.h>

#define CHUNK_BYTES (UINT64_C(1) << 20)

/*
 * Zero runs that are shorter, or not aligned to this, are sent as data. 4096:
 * the block of common filesystems and the largest common sector.
 */
#define BLOCK_BYTES UINT64_C(4096)

/* The unit of digests in a chunk and of a delta: a chunk has CHUNK_LEAVES. */
#define LEAF_BYTES   65536U
#define CHUNK_LEAVES 16U

/* A disk is a whole number of sectors: a partial last sector is padded with
 * zeros, as in QEMU.  512: the smallest sector size. */
#define SECTOR_BYTES UINT64_C(512)

/* Zero bytes that pad size_bytes to whole sectors: 0..511. */
static inline uint64_t chunk_grid_padding(uint64_t size_bytes)
{
    return (SECTOR_BYTES - size_bytes % SECTOR_BYTES) % SECTOR_BYTES;
}

/* Number of chunks that cover virtual_bytes; 0 for an empty disk. */
static inline uint64_t chunk_grid_count(uint64_t virtual_bytes)
{
    return virtual_bytes / CHUNK_BYTES + (virtual_bytes % CHUNK_BYTES != 0);
}

/* Length of chunk index, which is less than
 * chunk_grid_count(virtual_bytes). */
static inline uint64_t chunk_grid_length(uint64_t virtual_bytes, uint64_t index)
{
    uint64_t left = virtual_bytes - index * CHUNK_BYTES;

    return left < CHUNK_BYTES ? left : CHUNK_BYTES;
}

#endif
