/*
 * writer.h - packs a directory as a tar stream: everything except lost+found,
 * hidden files and directories too, disk.img before all, with modes, ACLs, times, links, user
 * attributes and holes.  Uses libarchive.  The format is POSIX with GNU's
 * extensions for holes: GNU tar, Go and libarchive read it.
 *
 * The directory is only read.  Packing fails on a file that changes meanwhile,
 * or that a running machine or a mounted loop device uses.
 */
#ifndef CW_TAR_WRITER_H
#define CW_TAR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/hole_check.h"

struct tar_writer_options {
    const char *directory; /* borrowed */
    bool sparse;           /* keep holes; else write the zeros they read as */
    enum cw_holes holes;   /* may holes be skipped unread? */
    bool allow_in_use;     /* files that others write, or that change */
    bool is_index; /* every file is one hole, and has no owner: tree_index.h */

    /* Takes len bytes of the stream, in order.  0, or -1 with *err. */
    int (*put)(void *opaque, const void *data, size_t len, struct error *err);
    void *opaque;
};

struct tar_writer_report {
    uint64_t files;         /* of any kind, directories too */
    uint64_t content_bytes; /* of regular files, holes included */
};

/* Packs the directory.  Blocks.  ERROR_SOURCE_IO; ERROR_CHANGED: a file is in
 * use, or was written while it was read; the errors of put. */
int tar_writer_tree(const struct tar_writer_options *options,
                    struct tar_writer_report *report, struct error *err);

/* Estimates the size of the stream in bytes, for progress: from the sizes of
 * the files, or if sparse, from what is not a hole.  ERROR_SOURCE_IO. */
int tar_writer_estimate(const char *directory, bool sparse, uint64_t *bytes,
                        struct error *err);

/* Does the directory hold only the regular file of this name (lost+found is
 * ignored)?  Returns 1, 0, or -1 with ERROR_SOURCE_IO. */
int tar_writer_is_only(const char *directory, const char *name,
                       struct error *err);

#endif
