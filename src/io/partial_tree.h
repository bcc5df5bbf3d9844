/*
 * partial_tree.h - files that are unpacked into a directory stay in one
 * subdirectory of it, until all of them are there and durable.
 *
 * Its lock says that a process works in it.  A subdirectory that nobody has
 * locked was left by a process that was killed: it is removed by whatever
 * writes to the directory next, and its space counts as free.
 */
#ifndef CW_IO_PARTIAL_TREE_H
#define CW_IO_PARTIAL_TREE_H

#include <stdint.h>

#define PARTIAL_TREE_NAME ".clonewire-tree"

/*
 * Makes the subdirectory of dir_fd, empty and locked, in place of what was
 * left.  Its descriptor, owned by the caller: the lock goes with it; or
 * -errno, -EBUSY: another process works in it.
 */
int partial_tree_make(int dir_fd);

/* Removes what was left in dir_fd.  0, also when there is nothing, or -errno
 * as above. */
int partial_tree_clear(int dir_fd);
int partial_tree_clear_in(const char *directory);

/* The bytes that partial_tree_clear() would free; changes nothing. */
uint64_t partial_tree_bytes(const char *directory);

#endif
