/*
 * block_map.h - finds where each byte of a disk is stored, for formats that
 * keep it in blocks of one size: VDI, VHD, VHDX, VMDK.  Pure over the host's
 * read callback.
 *
 *   disk offset -> block number -> format->find() -> kind, host offset
 *
 * An attacker may have written the whole image.  A format checks every number
 * before it uses it; block_map checks that each block lies in the file, and
 * block_map_check() that no two things share a byte of it.  Memory does not
 * depend on the image: tables are read in parts of 64 KiB.  A map belongs to
 * one thread.
 */
#ifndef CW_IMAGE_BLOCK_MAP_BLOCK_MAP_H
#define CW_IMAGE_BLOCK_MAP_BLOCK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image_host.h"

enum block_kind {
    BLOCK_ZERO, /* not in the file, or marked as zero */
    BLOCK_DATA,
    BLOCK_PACKED /* compressed; format->unpack() decodes it */
};

/* What a format's tables say of one block. */
struct block {
    enum block_kind kind;
    uint64_t host_offset; /* DATA: of its first byte; PACKED: as unpack() needs
                             it */
    uint64_t count;       /* of equal ZERO blocks from here, > 0 */
};

struct block_run {
    uint64_t offset; /* of the disk */
    uint64_t length; /* > 0; PACKED: within one block */
    enum block_kind kind;
    uint64_t host_offset; /* DATA: of the run; PACKED: of its block */
};

/* An array of numbers in the file, of which one part is in memory. */
struct block_table {
    uint64_t offset;
    uint64_t entries;
    uint32_t entry_bytes; /* a power of two */
    uint8_t *part;        /* owned; NULL: nothing read yet */
    uint64_t part_offset; /* in the file */
    uint64_t part_bytes;
};

struct block_map;
struct block_usage;

struct block_format {
    const char *name;   /* "vdi": in messages */
    size_t state_bytes; /* of block_map.state */

    /*
     * Reads and checks the header.  Sets virtual_bytes (whole sectors),
     * block_bytes, variant and the tables, which must lie in the file.
     */
    int (*open)(struct block_map *map, struct error *err);

    /* Finds block number index, of those that the disk has. */
    int (*find)(struct block_map *map, uint64_t index, struct block *block,
                struct error *err);

    /* Claims the headers and tables, and checks what find() does not see. */
    int (*claim)(struct block_map *map, struct block_usage *usage,
                 struct error *err);

    /*
     * Decodes a PACKED block: fills out with the len bytes of it that the disk
     * has.  scratch: 2 * block_bytes.  NULL: no block is packed.
     */
    int (*unpack)(struct block_map *map, const struct block_run *run,
                  uint8_t *scratch, uint8_t *out, size_t len,
                  struct error *err);
};

struct block_map {
    const struct block_format *format;
    struct image_host host;
    const char *variant;    /* "dynamic"; static */
    uint64_t virtual_bytes; /* whole sectors */
    uint64_t block_bytes;   /* the disk's end may cut the last block */
    uint64_t lead_bytes;    /* of a DATA block's own, in front of it */
    struct block_table tables[2];
    void *state; /* owned; format->state_bytes, zeroed at open */
};

struct block_summary {
    uint64_t data_bytes; /* of the disk, in DATA blocks */
    uint64_t packed_blocks;
    bool overlaps_checked; /* false: the file is too large or too scattered */
};

/* Opens the map and reads the header.  Fails with ERROR_FORMAT or ERROR_SYSTEM,
 * or with the error of host->read. */
int block_map_open(struct block_map *map, const struct block_format *format,
                   const struct image_host *host, struct error *err);

/* Tolerates a zeroed map. */
void block_map_fini(struct block_map *map);

/*
 * Finds the longest run of one kind that begins at offset and ends at or
 * before end (offset < end <= virtual_bytes).  Fails with ERROR_FORMAT on an
 * invalid entry, or with the error of host->read.
 */
int block_map_at(struct block_map *map, uint64_t offset, uint64_t end,
                 struct block_run *run, struct error *err);

/*
 * Walks the whole map before any of it is used.  Fails with ERROR_FORMAT at
 * the first invalid entry, and where two blocks, or a block and a table, share
 * bytes of the file.
 */
int block_map_check(struct block_map *map, struct block_summary *summary,
                    struct error *err);

/* ---- for the formats ---- */

/* The bytes of an entry, valid until the next call; NULL with *err. */
const uint8_t *block_map_entry(struct block_map *map, struct block_table *table,
                               uint64_t index, struct error *err);

/* Fills buf with len bytes at offset; `what` ("header") is named in messages.
 * Fails with ERROR_FORMAT if they are not all in the file. */
int block_map_read(const struct block_map *map, const char *what, void *buf,
                   size_t len, uint64_t offset, struct error *err);

/* Refuses a table or region that is not all in the file. */
int block_map_require(const struct block_map *map, const char *what,
                      uint64_t offset, uint64_t length, struct error *err);

/* Claims sectors of the file for one user.  Fails with ERROR_FORMAT if one of
 * them has a user already.  length 0 claims nothing. */
int block_map_claim(struct block_map *map, struct block_usage *usage,
                    const char *what, uint64_t offset, uint64_t length,
                    struct error *err);

static inline uint64_t block_map_blocks(const struct block_map *map)
{
    return map->virtual_bytes / map->block_bytes +
           (map->virtual_bytes % map->block_bytes != 0);
}

static inline bool block_map_is_power_of_2(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

#endif
