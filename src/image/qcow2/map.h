/*
 * map.h - finds where each byte of a QCOW2 disk is stored: a strict walk over
 * the L1 and L2 tables.  Pure over the host's read callback.
 *
 *   disk offset -> L1 entry -> L2 table -> L2 entry -> kind, host offset
 *
 * Every entry is checked each time it is used: alignment, reserved bits, and
 * that the file contains all bytes of it that will be read.  Memory is a
 * window of 64 KiB on each of the two tables, whatever the image.  A map
 * belongs to one thread.
 */
#ifndef CW_IMAGE_QCOW2_MAP_H
#define CW_IMAGE_QCOW2_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/qcow2/header.h"

enum qcow2_kind {
    QCOW2_UNALLOCATED, /* read from the backing file, or zero */
    QCOW2_ZERO,
    QCOW2_DATA,
    QCOW2_COMPRESSED
};

struct qcow2_run {
    uint64_t offset; /* of the disk */
    uint64_t length; /* > 0 */
    enum qcow2_kind kind;
    /*
     * DATA: of the run's first byte.  COMPRESSED: of the compressed cluster
     * that holds the run, packed_bytes long (or less: it ends with a sector).
     */
    uint64_t host_offset;
    uint32_t packed_bytes;
};

/* A part of one table, in the file's byte order. */
struct qcow2_window {
    uint8_t *bytes;       /* owned */
    uint64_t host_offset; /* of the part; 0: nothing read yet */
    uint64_t len;
};

struct qcow2_map {
    struct image_host host;
    struct qcow2_header header;
    struct qcow2_window l1;
    struct qcow2_window l2;
    struct qcow2_run ahead; /* after the run that was found last; length 0 */
};

/* Fails with ERROR_SYSTEM. */
int qcow2_map_init(struct qcow2_map *map, const struct image_host *host,
                   const struct qcow2_header *header, struct error *err);

/* Tolerates a zeroed map. */
void qcow2_map_fini(struct qcow2_map *map);

/*
 * Finds the longest run of one kind that begins at offset and ends at or
 * before end (offset < end <= virtual_bytes).  A COMPRESSED run never leaves
 * its cluster. Fails with ERROR_FORMAT on an invalid table, or with the error
 * of the host's read.
 */
int qcow2_map_at(struct qcow2_map *map, uint64_t offset, uint64_t end,
                 struct qcow2_run *run, struct error *err);

/* Host offset of L2 table index, checked; 0: there is no table. */
int qcow2_map_l2_table(struct qcow2_map *map, uint32_t index,
                       uint64_t *host_offset, struct error *err);

#endif
