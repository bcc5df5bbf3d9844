/*
 * extract.h - a tar stream becomes a tree of files in a directory: content
 * with its holes, permissions, ACLs, times, symbolic and hard links, user
 * attributes.  Owners are ours, as a volume's are.
 *
 * Whatever the stream says, nothing is touched outside the directory.  All
 * of it is made in a partial tree (partial_tree.h), and moved to where it
 * belongs when it is whole and durable.
 */
#ifndef CW_TAR_EXTRACT_H
#define CW_TAR_EXTRACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tar/reader.h"

struct tar_extract_options {
    const char *directory; /* that exists; borrowed */
    struct tree_input input;
    bool preallocate; /* reserve the space of files, holes and zeros, too */

    /* NULL, or what is written to disk, counted as it goes. */
    atomic_uint_fast64_t *written_bytes;
};

struct tar_extract_report {
    uint64_t files;         /* of any kind, directories too */
    uint64_t content_bytes; /* of regular files, holes included */
    bool is_preallocated;   /* as asked, and the filesystem could */
};

/*
 * Unpacks the whole stream, to the end of the input, and replaces what has
 * the same names at the top of the directory.  Blocks.  0: all is there and
 * durable.
 *
 * ERROR_NO_SPACE; ERROR_TARGET_IO; ERROR_REFUSED: a path that leaves the
 * directory, a device, a name of ours; ERROR_PROTOCOL and the input's own
 * as of tree_reader_next().  After an error the directory is as it was,
 * unless moving into place itself has failed.
 */
int tar_extract_tree(const struct tar_extract_options *options,
                     struct tar_extract_report *report, struct error *err);

#endif
