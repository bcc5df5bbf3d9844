/*
 * final_name.h - the name that a finished file gets: can rename(2) give it,
 * and to whom does the file belong then?
 */
#ifndef CW_SINK_FINAL_NAME_H
#define CW_SINK_FINAL_NAME_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/*
 * Finds before the first byte what rename(2) would refuse after the last one:
 * directory is not writable or append-only; the file at path, if there is
 * one, is a mount point, immutable, append-only, swap space, or another
 * user's in a sticky directory.
 *
 * Writes nothing.  ERROR_REFUSED; ERROR_TARGET_IO: the right to write in
 * directory is missing, or its filesystem is read-only.
 */
int final_name_check(const char *path, const char *directory,
                     struct error *err);

/*
 * Gives the file at fd the owner, group, mode, ACL and extended attributes of
 * the file at path, which it is about to replace, durably.  Where there is no
 * file at path, nothing changes.
 *
 * Without the privilege to keep the owner, the new file stays the caller's,
 * and the log says so; without the group or the ACL it is open to its owner
 * only.  So nobody can read it who could not read the old one.
 * ERROR_TARGET_IO.
 */
int final_name_copy_access(const char *path, int fd, struct error *err);

/*
 * The file at fd is about to lose its final name, and to get it back when its
 * content has changed (--delta).  Meanwhile it is the caller's, so that a
 * process that is started again knows it for its own; an extended attribute
 * says whose it was.  Where that cannot be, it stays as it is.
 */
void final_name_borrow_access(int fd);

/* It has its name again: gives it back, durably, if it was borrowed. */
int final_name_return_access(const char *path, int fd, struct error *err);

/* Makes the name of path durable.  ERROR_TARGET_IO. */
int final_name_sync(const char *path, struct error *err);

/*
 * Renames the file partial to path, durably.  replace: also where there is a
 * file already; else that is ERROR_REFUSED.  ERROR_TARGET_IO.
 */
int final_name_give(const char *partial, const char *path, bool replace,
                    struct error *err);

#endif
