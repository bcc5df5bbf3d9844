/*
 * block_usage.h - which sectors of a file are in use: finds overlaps.
 *
 * One bit a sector, in pages of 16 MiB of the file; a page whose sectors are
 * all in use needs no memory.  An image in order thus costs little at any size.
 */
#ifndef CW_IMAGE_BLOCK_MAP_BLOCK_USAGE_H
#define CW_IMAGE_BLOCK_MAP_BLOCK_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_USAGE_SECTOR_BYTES UINT64_C(512)

enum block_usage_result {
    BLOCK_USAGE_OK,
    BLOCK_USAGE_OVERLAP,
    BLOCK_USAGE_NO_MEMORY
};

struct block_usage;

/* NULL: out of memory. */
struct block_usage *block_usage_open(uint64_t size_bytes);

/* Tolerates NULL. */
void block_usage_close(struct block_usage *usage);

/* Marks the sectors of [offset, offset+length), which lies in the file. */
enum block_usage_result block_usage_claim(struct block_usage *usage,
                                          uint64_t offset, uint64_t length);

/* False: the file has more than 64 TiB, or at most 64 MiB of pages did not
 * suffice; then overlaps have been looked for in a part only. */
bool block_usage_is_complete(const struct block_usage *usage);

#endif
