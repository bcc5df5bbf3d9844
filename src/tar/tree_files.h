/*
 * tree_files.h - reads and writes a directory as the disk of its index: a range
 * of the disk is found in its files, of which a bounded number is kept open.
 *
 * Many threads may use one, each with an I/O queue of its own.
 */
#ifndef CW_TAR_TREE_FILES_H
#define CW_TAR_TREE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/file.h"
#include "io/io_queue.h"
#include "tar/tree_index.h"

struct tree_files;

struct tree_files_options {
    int dir_fd;                     /* the directory; borrowed */
    const struct tree_index *index; /* borrowed */
    bool writes;                    /* else reads only */
    unsigned max_open;              /* files that are kept open */

    /* NULL, or: an access to a file has failed with -errno r, at offset of the
     * file.  Any thread. */
    void (*failed)(void *opaque, const char *path, uint64_t offset, int r);
    void *opaque; /* borrowed */
};

/* *files is owned by the caller; no io may be in flight when it ends.
 * ERROR_SYSTEM. */
int tree_files_open(const struct tree_files_options *options,
                    struct tree_files **files, struct error *err);

/*
 * Reads or writes the range of io, of the disk.  It completes from
 * io_queue_reap(queue).  Index and gaps are not written: -EBADMSG if they would
 * become other bytes.  -ENODATA: a file has become shorter.
 */
void tree_files_submit(struct tree_files *files, struct io_queue *queue,
                       struct io *io);

/* Opens the file, until tree_files_release().  0 or -errno. */
int tree_files_borrow(struct tree_files *files, size_t number,
                      struct file **file);
void tree_files_release(struct tree_files *files, struct file *file);

/* Accepts NULL. */
void tree_files_close(struct tree_files *files);

#endif
