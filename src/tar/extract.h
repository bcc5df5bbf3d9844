/*
 * extract.h - unpacks a tar stream into a directory: content with holes,
 * permissions, ACLs, times, symbolic and hard links, user attributes.  The
 * files belong to the caller.
 *
 * Whatever the stream contains, nothing outside the directory is touched.  The
 * files are created in a partial tree (partial_tree.h), and moved into place
 * when all of them are complete and durable.
 */
#ifndef CW_TAR_EXTRACT_H
#define CW_TAR_EXTRACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tar/reader.h"

struct tar_extract_options {
    const char *directory; /* must exist; borrowed */
    struct piece_source input;
    bool preallocate; /* reserve the space of files, also for holes and zeros */

    /* NULL, or a running count of the bytes written to disk. */
    atomic_uint_fast64_t *written_bytes;
};

struct tar_extract_report {
    uint64_t files;         /* of any kind, directories too */
    uint64_t content_bytes; /* of regular files, holes included */
    bool is_preallocated;   /* as requested, and the filesystem supports it */
};

/*
 * Unpacks the whole stream, to the end of the input, and replaces entries of
 * the same names at the top of the directory.  Blocks.  Returns 0 when
 * everything is in place and durable.
 *
 * ERROR_NO_SPACE; ERROR_TARGET_IO; ERROR_REFUSED: a path that leaves the
 * directory, a device, a reserved name; ERROR_PROTOCOL and the errors of the
 * input as of tree_reader_next().  After an error the directory is unchanged,
 * unless moving into place itself has failed.
 */
int tar_extract_tree(const struct tar_extract_options *options,
                     struct tar_extract_report *report, struct error *err);

#endif
