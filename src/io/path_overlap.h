/* path_overlap.h - does writing to one path change what another names? */
#ifndef CW_IO_PATH_OVERLAP_H
#define CW_IO_PATH_OVERLAP_H

#include <stdbool.h>

/*
 * Returns true if both name one regular file or block device, by any links; or
 * one is a loop device over the other, a partition of it, or another layer
 * that device_stack.h knows; or both name the same file that does not exist
 * yet.  A file on a filesystem on a device does not overlap with the device:
 * writes to the file go through the filesystem.  Also returns false if nothing
 * is known.
 */
bool path_overlap(const char *a, const char *b);

#endif
