/*
 * safe_path.h - names that a stranger gives, kept inside a directory: every
 * step is taken from an open directory, through no link, and never upwards.
 *
 * Paths are those of archives: components with "/" between them.  Leaves
 * return -errno; -ELOOP: a link is in the way, -EXDEV: the path leaves the
 * directory, by "..", or begins at "/".
 */
#ifndef CW_TAR_SAFE_PATH_H
#define CW_TAR_SAFE_PATH_H

#include <stdbool.h>

/* Longest path that is taken, with its end. */
#define SAFE_PATH_PATH_BYTES 4096U

/* Where something is to be: a name in an open directory. */
struct safe_path {
    int fd; /* owned; -1: none */
    char name[256];
};

/*
 * Opens the directory that holds path, below dir_fd, and tells the name in
 * it.  make: directories on the way that are not there are made, 0755 less the
 * umask, as tar does.  0; 1: path is the directory itself ("./"), and there is
 * nothing to open; -errno.
 */
int safe_path_open(struct safe_path *place, int dir_fd, const char *path,
                   bool make);

void safe_path_close(struct safe_path *place);

#endif
