/* remove_tree.h - removes a directory with all below it, through no link. */
#ifndef CW_IO_REMOVE_TREE_H
#define CW_IO_REMOVE_TREE_H

/* Removes name in dir_fd, a file or a directory.  0, also when there is
 * nothing, or -errno. */
int remove_tree(int dir_fd, const char *name);

#endif
