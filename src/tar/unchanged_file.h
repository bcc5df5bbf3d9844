/*
 * unchanged_file.h - a file that the volume may hold already as the stream has
 * it: of the same path, size, time, mode and attributes.  Its content is
 * compared with the stream; if all of it is equal, the new tree gets a link to
 * the old file instead of a second copy.  The old file is never changed.
 *
 * Belongs to one thread.
 */
#ifndef CW_TAR_UNCHANGED_FILE_H
#define CW_TAR_UNCHANGED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/file.h"
#include "tar/reader.h"
#include "tar/safe_path.h"

struct unchanged_file {
    struct file file; /* fd -1: there is none */
    struct safe_path at;
    struct file_window window;
    struct unchanged_file_linked *linked;
    uint64_t size_bytes;
    uint64_t equal_bytes; /* compared and equal, from the start of the file */
};

/* Files with several names that the new tree already links to.  The stream may
 * have two files where the volume has one: only the first can be it. */
#define UNCHANGED_FILE_LINKED 1024U

struct unchanged_file_linked {
    unsigned count;
    ino_t inodes[UNCHANGED_FILE_LINKED];
};

struct unchanged_file_wish {
    int root_fd;                          /* of the volume */
    struct unchanged_file_linked *linked; /* borrowed */
    bool is_allocated;                    /* a file with holes will not do */
    /* A file of the same size is taken as well, to be compared and changed:
     * up to this size with any time and mode; 0: none. */
    uint64_t basis_bytes;
    uint64_t window_bytes; /* of page cache; file.h */
};

/* Looks for the entry in the volume.  False: nothing there can be its file.
 * Close *old in either case. */
bool unchanged_file_open(struct unchanged_file *old,
                         const struct unchanged_file_wish *wish,
                         struct tree_reader *reader,
                         const struct tree_entry *entry);

/* Is the file equal up to the end of this piece, and zero between the last one
 * and this?  data may be NULL: zeros up to offset. */
bool unchanged_file_matches(struct unchanged_file *old, const void *data,
                            size_t len, uint64_t offset);

/* Gives the file a name in the new tree as well.  False: not possible. */
bool unchanged_file_link(struct unchanged_file *old,
                         const struct safe_path *at);

/* Copies the equal part to the empty file fd, holes left out.  0 or -errno. */
int unchanged_file_copy(const struct unchanged_file *old, int fd);

void unchanged_file_close(struct unchanged_file *old);

#endif
