/*
 * extent_file.h - reads a list of extents of a disk that the storage, a backup
 * program or QEMU wrote.  The content tells the format:
 *
 *   ours             [{"offset": 0, "length": 65536}, ...]
 *   nbdinfo          nbdinfo --map --json, of base:allocation or a bitmap
 *   qemu-img map     qemu-img map --output=json
 *   rbd diff         rbd diff --format json
 *   kubevirt map     pages {"extents": [...], "next_offset": N}
 *   csi metadata     pages of GetMetadataAllocated or GetMetadataDelta
 *   thin_dump        XML of one thin device
 *   thin_delta       XML of two thin devices
 *
 * The file is read once from front to back, in constant memory, so a pipe will
 * do.  It is read strictly, as it comes from outside: entries in ascending
 * order, not overlapping, inside the disk, and complete as far as the format
 * can tell.
 */
#ifndef CW_IO_EXTENT_FILE_H
#define CW_IO_EXTENT_FILE_H

#include <stdint.h>

#include "base/error.h"

enum extent_file_purpose {
    EXTENT_FILE_CHANGED, /* the extents that differ from an older state */
    EXTENT_FILE_DATA,    /* the extents that may read as other than zero */
};

/* The caller sets the first group; extent_file_read() sets the second. */
struct extent_file_options {
    const char *path;
    enum extent_file_purpose purpose;
    uint64_t disk_bytes;
    /* Takes a changed or data extent; 0, or -1 with *err, which ends the
     * reading. */
    int (*add)(void *opaque, uint64_t offset, uint64_t length,
               struct error *err);
    void *opaque;

    const char *format; /* static: "nbdinfo", for people */
    uint64_t entries;   /* number of entries in the file */
    uint64_t bytes;     /* sum of the extents that add() took */
};

/*
 * Calls add() for each extent of the purpose, in ascending order.
 * ERROR_USAGE: the file cannot be read, is not such a list, is about something
 * else than the purpose, or an entry is refused; the text has its number.
 */
int extent_file_read(struct extent_file_options *options, struct error *err);

#endif
