/*
 * hole_check.h - may the holes of a sparse file be skipped unread?
 *
 * A filesystem whose SEEK_DATA errs calls data a hole, and a copy that skips
 * it has zeros in its place.  So before a hole is skipped, the answers of
 * SEEK_DATA are compared with what else the filesystem says about the file:
 * how much is allocated (st_blocks), and how it is mapped (FIEMAP).
 */
#ifndef CW_IO_HOLE_CHECK_H
#define CW_IO_HOLE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* As enum cw_holes of the public header. */
enum hole_policy {
    HOLE_POLICY_AUTO,  /* skip holes if hole_check() finds nothing wrong */
    HOLE_POLICY_TRUST, /* skip whatever SEEK_DATA calls a hole */
    HOLE_POLICY_SCAN,  /* skip nothing: read all of the file */
};

/*
 * May the holes of the size_bytes of the regular file fd be skipped unread?
 * HOLE_POLICY_AUTO asks hole_check(), and logs a warning that names path
 * where the answer is no.
 */
bool hole_check_may_skip(enum hole_policy policy, int fd, uint64_t size_bytes,
                         const char *path);

#define HOLE_CHECK_REASON_BYTES 192U

/*
 * Are the holes of the size_bytes of the regular file fd real?  Costs a walk
 * over the map of the file, no read.  False: *reason, HOLE_CHECK_REASON_BYTES
 * long, says why not.  A file that has no holes, or whose filesystem cannot
 * tell, is true.
 *
 * They are not believed
 *   - on a filesystem with a known bug (hole_check_known_bug());
 *   - where FIEMAP maps written blocks inside a hole;
 *   - where st_blocks exceeds the data by more than 2 % and 16 KiB, and
 *     FIEMAP does not explain it by blocks that are allocated but unwritten
 *     (fallocate) or lie behind the end of the file.
 */
bool hole_check(int fd, uint64_t size_bytes, char *reason);

/*
 * The bug, as "OpenZFS issue 15526", that a filesystem of that type (as
 * /proc/self/mountinfo writes it) and version (of ZFS: as
 * /sys/module/zfs/version has it; NULL: unknown) has; NULL: none is known.
 */
const char *hole_check_known_bug(const char *type, const char *version);

#endif
