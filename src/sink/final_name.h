/* final_name.h - gives a finished file its final name: checks that rename(2)
 * will work, and keeps the owner and access of the file that it replaces. */
#ifndef CW_SINK_FINAL_NAME_H
#define CW_SINK_FINAL_NAME_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/*
 * Finds, before the first byte, why rename(2) would fail after the last one:
 * directory is not writable or is append-only; the file at path, if there is
 * one, is a mount point, immutable, append-only, swap space, or another user's
 * file in a sticky directory.
 *
 * Writes nothing.  Fails with ERROR_REFUSED, or with ERROR_TARGET_IO if
 * directory may not be written or its filesystem is read-only.
 */
int final_name_check(const char *path, const char *directory,
                     struct error *err);

/*
 * Gives the file at fd the owner, group, mode, ACL and extended attributes of
 * the file at path, which it is about to replace, durably.  Without a file at
 * path, nothing changes.
 *
 * Without the privilege to keep the owner, the new file stays the caller's,
 * and the log says so.  Without the group or the ACL, only its owner may
 * access it.  A user who could not read the old file thus cannot read the new
 * one.  Fails with ERROR_TARGET_IO.
 */
int final_name_copy_access(const char *path, int fd, struct error *err);

/*
 * Borrows the file at fd, which loses its final name until its content has
 * changed (--delta).  Meanwhile the file belongs to the caller, so that a
 * restarted process recognizes it; an extended attribute records the original
 * owner and mode.  If that is impossible, the file keeps its access.
 */
void final_name_borrow_access(int fd);

/* Returns the borrowed access, durably, once the file has its name again. */
int final_name_return_access(const char *path, int fd, struct error *err);

/* Makes the name of path durable.  ERROR_TARGET_IO. */
int final_name_sync(const char *path, struct error *err);

/* Renames the file partial to path, durably. replace: also over an existing
 * file, which is otherwise ERROR_REFUSED.  Fails with ERROR_TARGET_IO. */
int final_name_give(const char *partial, const char *path, bool replace,
                    struct error *err);

#endif
