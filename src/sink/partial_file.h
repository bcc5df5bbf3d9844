/*
 * partial_file.h - the file beside the final name that holds a disk until it
 * is whole: ".NAME.clonewire-partial".
 *
 * The lock on it keeps a second target away.  An unlocked one is what a run
 * that died has left, and is used again; unless it may be another user's work,
 * who could read or change the disk in it.  Such a file stays as it is, and
 * the disk is made in ".NAME.clonewire-partial-2", -3, ...
 */
#ifndef CW_SINK_PARTIAL_FILE_H
#define CW_SINK_PARTIAL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/file.h"

struct partial_file {
    struct file file;
    char *path;       /* owned */
    bool has_content; /* left by an earlier run */
    mode_t new_mode;  /* of the disk, if it replaces no file */
};

/*
 * Opens and locks the partial file of the disk at path, and makes it where
 * there is none to use.  directory: that of path; wish: as of file_open().
 * A new file belongs to the group that the directory gives it; it has mode
 * 0660 less the umask, and 0660 where this group may write in the directory.
 * Where path is a file that it is to replace, it has mode 0600 for now.
 *
 * On success file and path are owned by the caller.  ERROR_REFUSED: another
 * target writes it, or no name is safe to use; ERROR_TARGET_IO,
 * ERROR_NO_SPACE.
 */
int partial_file_open(const char *path, const char *directory,
                      enum file_mode wish, struct partial_file *partial,
                      struct error *err);

/* Bytes that the file which partial_file_open() would use occupies; 0: it
 * would make one. */
uint64_t partial_file_allocated_bytes(const char *path);

/* Is the open file still the one of that name? */
bool partial_file_has_name(int fd, const char *name);

/* False: another process has the lock.  A filesystem without locks is warned
 * of, and counts as locked. */
bool partial_file_lock(int fd, const char *name);

#endif
