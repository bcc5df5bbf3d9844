/*
 * hole_check.h - may the holes of a sparse file be skipped unread?
 *
 * A filesystem whose SEEK_DATA is wrong reports data as a hole, and a copy
 * that skips it has zeros there.  So before a reader skips a hole, this module
 * compares SEEK_DATA with the filesystem's other answers: allocated bytes
 * (st_blocks) and the extent map (FIEMAP).
 */
#ifndef CW_IO_HOLE_CHECK_H
#define CW_IO_HOLE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

/*
 * May a reader skip the holes in the first size_bytes of the regular file fd?
 * CW_HOLES_AUTO calls hole_check() and, if the answer is no, logs a warning
 * that names path.
 */
bool hole_check_may_skip(enum cw_holes policy, int fd, uint64_t size_bytes,
                         const char *path);

#define HOLE_CHECK_REASON_BYTES 192U

/*
 * Are the holes in the first size_bytes of the regular file fd real?  Walks
 * the extent map and reads no data.  On false, *reason
 * (HOLE_CHECK_REASON_BYTES long) says why not.  Returns true for a file
 * without holes, or if the filesystem cannot report them.
 *
 * Holes are not trusted
 *   - on a filesystem with a known bug (hole_check_known_bug());
 *   - if FIEMAP maps written blocks inside a hole;
 *   - if st_blocks exceeds the data by more than 2 % and 16 KiB, and neither
 *     unwritten blocks (fallocate) nor blocks past the end of the file explain
 *     it.
 */
bool hole_check(int fd, uint64_t size_bytes, char *reason);

/*
 * Returns the known bug of a filesystem, as "OpenZFS issue 15526", or NULL.
 * type: as in /proc/self/mountinfo; version: of ZFS, as in
 * /sys/module/zfs/version, or NULL if unknown.
 */
const char *hole_check_known_bug(const char *type, const char *version);

#endif
