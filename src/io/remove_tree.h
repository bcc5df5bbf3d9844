/* remove_tree.h - removes a directory and its contents; follows no link. */
#ifndef CW_IO_REMOVE_TREE_H
#define CW_IO_REMOVE_TREE_H

/* Removes the file or directory name in dir_fd.  Returns 0, also if it does
 * not exist, or -errno. */
int remove_tree(int dir_fd, const char *name);

#endif
