/*
 * safe_path.h - keeps untrusted names inside a directory, as chroot(2) would:
 * every step starts at an open directory and follows no link by itself.  A link
 * in the way is read, and its target resolved with this directory as the root,
 * so "bin -> /usr/bin" and then "bin/tool" lead to usr/bin/tool in it.
 *
 * Paths are those of archives: components separated by "/"; a leading "/" is
 * skipped, as tar does.  Functions return -errno; -EXDEV: the path has a "..",
 * -ELOOP: too many links.
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
 * it; a link of that name is not followed.  make: missing directories are
 * created, with mode 0755 less the umask, as tar does.  Returns 0; 1: path is
 * the directory itself ("./"), and nothing is opened; -errno.
 */
int safe_path_open(struct safe_path *place, int dir_fd, const char *path,
                   bool make);

void safe_path_close(struct safe_path *place);

#endif
