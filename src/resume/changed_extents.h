/*
 * changed_extents.h - the chunks of a disk that a list of changed extents names.
 * io/extent_file.h has the formats.
 */
#ifndef CW_RESUME_CHANGED_EXTENTS_H
#define CW_RESUME_CHANGED_EXTENTS_H

#include <stdint.h>

#include "base/error.h"
#include "plan/chunk_bitmap.h"

/*
 * Reads the file at path and adds to changed (zeroed; end it with
 * chunk_bitmap_fini()) the chunks of a disk of virtual_bytes that any extent
 * touches, and logs the format.  Takes one bit a chunk, however long the list is.
 * ERROR_USAGE: as of extent_file_read(); ERROR_SYSTEM: no memory.
 */
int changed_extents_read(const char *path, uint64_t virtual_bytes,
                         struct chunk_bitmap *changed, struct error *err);

#endif
