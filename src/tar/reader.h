/*
 * reader.h - a tar stream, entry by entry: what GNU tar, Go's and libarchive
 * write, sparse files in any of their ways.  By libarchive.
 *
 *   tree_reader_next -> entry -> tree_reader_data ... -> tree_reader_next ...
 *
 * Belongs to one thread.  What it gives out is good until its next call.
 */
#ifndef CW_TAR_READER_H
#define CW_TAR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "tar/posix_acl.h"

struct tree_reader;

struct tree_input {
    /*
     * The next piece of the stream, of any size, at *data, good until the
     * next call: how many bytes (> 0), 0 at the end, or -1 with *err.  Not
     * called again after its end or a failure.
     */
    ssize_t (*next)(void *opaque, const void **data, struct error *err);
    void *opaque; /* borrowed for the life of the reader */
};

struct tree_entry {
    const char *path; /* as it came: anything */
    const char *link; /* target of a symbolic or hard link; else NULL */
    bool is_hard_link;
    mode_t mode;         /* type and permissions */
    uint64_t size_bytes; /* of a file's content, holes included */
    uint64_t data_bytes; /* of it, what the stream holds */
    struct timespec modified, accessed; /* tv_nsec UTIME_OMIT: not told */
};

/* *reader is owned by the caller.  ERROR_SYSTEM. */
int tree_reader_open(const struct tree_input *input,
                     struct tree_reader **reader, struct error *err);

/*
 * Moves on to the next entry, past what was not read of the last one.  1:
 * *entry is filled; 0: the archive is at its end, and it was whole; -1: the
 * input's own error, or ERROR_PROTOCOL: not a tar stream, damaged, cut short.
 */
int tree_reader_next(struct tree_reader *reader, struct tree_entry *entry,
                     struct error *err);

/*
 * The next extended attribute of the entry.  False: no more.  *name and
 * *value are the entry's.
 */
bool tree_reader_xattr(struct tree_reader *reader, const char **name,
                       const void **value, size_t *len);

/* The entry's access control lists, as posix_acl_take(). */
int tree_reader_acls(struct tree_reader *reader, struct acls *acls);

/*
 * The next piece of the entry's content: *len bytes at *data belong at
 * *offset; what lies between pieces, and behind the last one, is a hole.
 * Offsets ascend, and nothing is beyond size_bytes.  1: a piece; 0: no more;
 * -1 as above.
 */
int tree_reader_data(struct tree_reader *reader, const void **data, size_t *len,
                     uint64_t *offset, struct error *err);

/*
 * Moves on to the regular file of this very name at the top of the tree
 * ("disk.img", also as "./disk.img", nothing that merely contains it).  1:
 * its content can be read; 0: the archive has none; -1: as above, or
 * ERROR_FORMAT: of that name, but no file.
 */
int tree_reader_find(struct tree_reader *reader, const char *name,
                     struct tree_entry *entry, struct error *err);

/* Reads on to the end of the archive, which proves that it is whole, and of
 * the input behind it. */
int tree_reader_finish(struct tree_reader *reader, struct error *err);

/* Tolerates NULL. */
void tree_reader_close(struct tree_reader *reader);

#endif
