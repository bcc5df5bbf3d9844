/*
 * header.h - reads the header of a QCOW2 image and validates it.  Pure over a
 * read callback.
 *
 * An attacker may have written the whole image: every number is checked
 * against the file before it is used, and an unknown feature is refused, never
 * skipped.
 */
#ifndef CW_IMAGE_QCOW2_HEADER_H
#define CW_IMAGE_QCOW2_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image_host.h"

enum qcow2_compression {
    QCOW2_ZLIB, /* raw deflate */
    QCOW2_ZSTD
};

#define QCOW2_BACKING_NAME_BYTES   1024
#define QCOW2_BACKING_FORMAT_BYTES 16

struct qcow2_header {
    uint32_t version; /* 2 or 3 */
    uint32_t header_bytes;
    uint32_t cluster_bits;  /* 9 to 21 */
    uint64_t cluster_bytes; /* 512 B to 2 MiB */
    uint64_t virtual_bytes; /* whole sectors, rounded as in qemu */
    uint64_t l1_offset;     /* cluster-aligned, inside the file */
    uint32_t l1_entries;    /* at least as many as the disk needs */
    uint32_t l2_entries;    /* per table */
    uint32_t subclusters;   /* per cluster: 32, or 1 */
    uint64_t compatible;    /* feature bits that may be ignored */
    enum qcow2_compression compression;
    bool is_dirty; /* not closed cleanly: only refcounts may be stale */

    /* Attacker's text: only used as a name in a directory of our choice. */
    char backing_name[QCOW2_BACKING_NAME_BYTES];     /* "": none */
    char backing_format[QCOW2_BACKING_FORMAT_BYTES]; /* "": not given */
};

/*
 * Reads and checks the header, its extensions, and that the L1 table lies in
 * the file.  Fails with ERROR_FORMAT and names the cause (version, encryption,
 * external data file, unknown feature with the name the image gives it ...),
 * or with the error of host->read.
 *
 * A backing file is returned in backing_name and _format: the caller decides.
 */
int qcow2_header_read(const struct image_host *host,
                      struct qcow2_header *header, struct error *err);

/* Bytes of an L2 entry: 16 with extended L2, else 8. */
static inline uint32_t qcow2_l2_entry_bytes(const struct qcow2_header *header)
{
    return header->subclusters > 1 ? 16 : 8;
}

#endif
