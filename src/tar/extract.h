/*
 * extract.h - unpacks a tar stream into a directory: content with holes,
 * permissions, ACLs, times, symbolic and hard links, user attributes.  The
 * files belong to the caller.
 *
 * Whatever the stream contains, nothing outside the directory is touched: its
 * names and links are resolved with the directory as the root (safe_path.h).
 * The files are created in a partial tree (partial_tree.h), and moved into place
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
    bool keep_setid;  /* setuid and setgid bits, and file capabilities */
    uint64_t kept_bytes; /* of the volume, for the filesystem's own use */

    /* NULL, or a running count of the bytes written to disk. */
    atomic_uint_fast64_t *written_bytes;
};

/* What the attributes of all directories may take in memory: they are set when
 * the last entry is in place. */
#define TAR_EXTRACT_MAX_BYTES (UINT64_C(64) << 20)

struct tar_extract_report {
    uint64_t files;         /* of any kind, directories too */
    uint64_t content_bytes; /* of regular files, holes included */
    bool is_preallocated;   /* as requested, and the filesystem supports it */
};

/*
 * Unpacks the whole stream, to the end of the input, and replaces entries of
 * the same names at the top of the directory; a file that is equal there stays.
 * Blocks.  Returns 0 when everything is in place and durable.
 *
 * ERROR_NO_SPACE; ERROR_TARGET_IO; ERROR_REFUSED: the stream asks for what the
 * filesystem cannot have, a path with "..", a reserved name, or more
 * directories than TAR_EXTRACT_MAX_BYTES hold; ERROR_PROTOCOL and the errors
 * of the input as of tree_reader_next().  After an error the directory is unchanged,
 * unless moving into place itself has failed.
 */
int tar_extract_tree(const struct tar_extract_options *options,
                     struct tar_extract_report *report, struct error *err);

#endif
