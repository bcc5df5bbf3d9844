/*
 * partial_tree.h - a subdirectory that holds the files of an unpacking until
 * all of them are complete and durable.
 *
 * Its lock shows that a process works in it.  A subdirectory without a lock
 * was left by a killed process: the next writer to the directory removes it,
 * and its space counts as free.
 */
#ifndef CW_IO_PARTIAL_TREE_H
#define CW_IO_PARTIAL_TREE_H

#include <stdint.h>

#define PARTIAL_TREE_NAME ".clonewire-tree"

/*
 * Removes a leftover subdirectory of dir_fd and makes an empty, locked one.
 * Returns its descriptor, owned by the caller; closing it releases the lock.
 * Else -errno; -EBUSY: another process works in it.
 */
int partial_tree_make(int dir_fd);

/* Opens and locks a leftover in dir_fd.  Returns its descriptor as above;
 * -ENOENT: there is none. */
int partial_tree_open(int dir_fd);

/* Removes a leftover in dir_fd.  Returns 0, also if there is none, or -errno
 * as above. */
int partial_tree_clear(int dir_fd);
int partial_tree_clear_in(const char *directory);

/* Bytes that partial_tree_clear() would free; changes nothing. */
uint64_t partial_tree_bytes(const char *directory);

#endif
