/*
 * safe_path.h - keeps untrusted names inside a directory: every step starts at
 * an open directory, follows no link, and never goes up.
 *
 * Paths are those of archives: components separated by "/".  Functions return
 * -errno; -ELOOP: a link is in the way, -EXDEV: the path leaves the directory
 * by "..", or begins with "/".
 */
#ifndef CW_TAR_SAFE_PATH_H
#define CW_TAR_SAFE_PATH_H

#include <stdbool.h>

/* The longest path in bytes, NUL included. */
#define SAFE_PATH_PATH_BYTES 4096U

/* The place of an entry: a name in an open directory. */
struct safe_path {
    int fd; /* owned; -1: none */
    char name[256];
};

/*
 * Opens the directory that holds path, below dir_fd, and stores the name in
 * it. make: missing directories are created, with mode 0755 less the umask, as
 * tar does.  Returns 0; 1: path is the directory itself ("./"), and nothing is
 * opened; -errno.
 */
int safe_path_open(struct safe_path *place, int dir_fd, const char *path,
                   bool make);

void safe_path_close(struct safe_path *place);

#endif
