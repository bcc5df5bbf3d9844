/*
 * writer.h - a directory becomes a tar stream: all that is in it but
 * lost+found, hidden files and directories too, with modes, ACLs, times,
 * links, user attributes and holes.  By libarchive, in the POSIX format with what
 * it needs of GNU's for holes: GNU tar, Go's and libarchive read it.
 *
 * The directory is only read.  A file that changes while it is packed, or that
 * a running machine or a mounted loop device uses, ends it.
 */
#ifndef CW_TAR_WRITER_H
#define CW_TAR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/hole_check.h"

struct tar_writer_options {
    const char *directory;  /* borrowed */
    bool sparse;            /* holes as such; else as the zeros they read as */
    enum hole_policy holes; /* may they be skipped unread? */
    bool allow_in_use;      /* files that others write, or that change */

    /* Takes len bytes of the stream, in order.  0, or -1 with *err. */
    int (*put)(void *opaque, const void *data, size_t len, struct error *err);
    void *opaque;
};

struct tar_writer_report {
    uint64_t files;         /* of any kind, directories too */
    uint64_t content_bytes; /* of regular files, holes included */
};

/*
 * Packs it all.  Blocks.  ERROR_SOURCE_IO; ERROR_CHANGED: a file is in use,
 * or was written to while it was read; put's own.
 */
int tar_writer_tree(const struct tar_writer_options *options,
                    struct tar_writer_report *report, struct error *err);

/*
 * About how many bytes the stream will have, by the sizes of the files, or,
 * where sparse, by what is allocated: for progress.  ERROR_SOURCE_IO.
 */
int tar_writer_estimate(const char *directory, bool sparse, uint64_t *bytes,
                        struct error *err);

/*
 * Is the regular file of this name all there is in the directory, but for
 * lost+found?  1, 0, or -1 with ERROR_SOURCE_IO.
 */
int tar_writer_is_only(const char *directory, const char *name,
                       struct error *err);

#endif
