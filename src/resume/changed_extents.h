/*
 * changed_extents.h - a list of the changed extents of a disk, from a backup
 * program or a dirty bitmap.  It is read strictly, as it comes from outside.
 *
 *   [ { "offset": 0, "length": 65536 },
 *     { "offset": 1048576, "length": 4096, "description": "dirty" } ]
 *
 * As nbdinfo --map prints them for a dirty bitmap, "description": "clean" marks
 * an unchanged extent, and "type" is ignored.
 */
#ifndef CW_RESUME_CHANGED_EXTENTS_H
#define CW_RESUME_CHANGED_EXTENTS_H

#include <stdint.h>

#include "base/error.h"
#include "plan/chunk_bitmap.h"

/*
 * Reads the file at path and adds to changed (zeroed; end it with
 * chunk_bitmap_fini()) the chunks of a disk of virtual_bytes that any extent
 * touches.  ERROR_USAGE: not such a list, or an extent is empty, overlaps
 * another or ends after the disk; ERROR_SYSTEM: no memory.
 */
int changed_extents_read(const char *path, uint64_t virtual_bytes,
                         struct chunk_bitmap *changed, struct error *err);

#endif
