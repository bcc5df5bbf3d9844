/* path_overlap.h - does writing to one name change what another names? */
#ifndef CW_IO_PATH_OVERLAP_H
#define CW_IO_PATH_OVERLAP_H

#include <stdbool.h>

/*
 * True: both name one regular file or block device, by whatever links; or one
 * is a loop device over the other, a partition of it, or another of the layers
 * that device_stack.h knows; or both name the same file, which is not there
 * yet.  A file that lies on a filesystem on a device does not overlap with it:
 * it is written through the filesystem.  False also where nothing is known.
 */
bool path_overlap(const char *a, const char *b);

#endif
