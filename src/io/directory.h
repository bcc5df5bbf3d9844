/* directory.h - lists and removes directories. */
#ifndef CW_IO_DIRECTORY_H
#define CW_IO_DIRECTORY_H

#include <dirent.h>

#include "base/cleanup.h"

/* For AUTO(): closes a directory; accepts NULL. */
static inline void auto_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* Opens a directory for a listing of its own, following no link in its last
 * component; dir_fd AT_FDCWD: path is as of open(2).  NULL with errno. */
DIR *directory_open(int dir_fd, const char *path);

/* Returns the next name except "." and ".."; NULL at the end (errno 0) or on a
 * failure, or if dir is NULL. */
const char *directory_next(DIR *dir);

/* Removes the file or directory name in dir_fd with its contents; follows no
 * link.  Returns 0, also if it does not exist, or -errno. */
int directory_remove(int dir_fd, const char *name);

#endif
