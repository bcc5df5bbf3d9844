/*
 * partial_file.h - the file beside the final name that holds a disk until it
 * is whole: ".NAME.clonewire-partial".
 *
 * Its lock keeps a second target away.  An unlocked partial is left from a run
 * that died, and is used again, unless it may be the work of another user, who
 * could read or change the disk in it.  Such a file stays as it is, and the
 * disk is created in ".NAME.clonewire-partial-2", -3, ...
 */
#ifndef CW_SINK_PARTIAL_FILE_H
#define CW_SINK_PARTIAL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/file.h"

struct partial_file {
    struct file file;
    char *path;       /* owned */
    bool has_content; /* left by an earlier run */
    mode_t new_mode;  /* of the disk, if it replaces no file */
};

/*
 * Opens and locks the partial file of the disk at path, and creates it if
 * there is none to use. directory: that of path; wish: as of file_open().  A
 * new file belongs to the group that the directory gives it.  Its mode is 0660
 * less the umask, or 0660 if this group may write in the directory.  If it is
 * to replace a file at path, its mode is 0600 for now.
 *
 * On success the caller owns file and path.  ERROR_REFUSED: another target
 * writes it, or no name is safe to use; ERROR_TARGET_IO, ERROR_NO_SPACE.
 */
int partial_file_open(const char *path, const char *directory,
                      enum cw_io_mode wish, struct partial_file *partial,
                      struct error *err);

/* Bytes allocated to the file that partial_file_open() would use; 0: it would
 * create one. */
uint64_t partial_file_allocated_bytes(const char *path);

/* Does the open file still have that name? */
bool partial_file_has_name(int fd, const char *name);

/* False: another process has the lock.  A filesystem without locks is logged
 * as a warning, and counts as locked. */
bool partial_file_lock(int fd, const char *name);

#endif
