/*
 * changed_extents.h - a list of what has changed on a disk, as tools give it that
 * keep track: backup programs, dirty bitmaps.  Somebody else's word, so it
 * is read strictly.
 *
 *   [ { "offset": 0, "length": 65536 },
 *     { "offset": 1048576, "length": 4096, "description": "dirty" } ]
 *
 * "description": "clean" (and a "type", which is not looked at), as nbdinfo
 * --map prints them of a dirty bitmap, makes it one that has not changed.
 */
#ifndef CW_RESUME_CHANGED_EXTENTS_H
#define CW_RESUME_CHANGED_EXTENTS_H

#include <stdint.h>

#include "base/error.h"
#include "plan/chunk_bitmap.h"

/*
 * Reads the file at path and fills changed (the caller's, zeroed, to be ended
 * by chunk_bitmap_fini()) with the chunks of a disk of virtual_bytes that any
 * extent touches.  ERROR_USAGE: it is not such a list, or an extent is empty,
 * reaches beyond the disk or over another; ERROR_SYSTEM: no memory.
 */
int changed_extents_read(const char *path, uint64_t virtual_bytes,
                         struct chunk_bitmap *changed, struct error *err);

#endif
