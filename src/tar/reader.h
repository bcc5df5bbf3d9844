/*
 * reader.h - reads a tar stream entry by entry, as written by GNU tar, Go and
 * libarchive, with all of their sparse formats.  Uses libarchive.
 *
 *   tree_reader_next -> entry -> tree_reader_data ... -> tree_reader_next ...
 *
 * Belongs to one thread.  Results are valid until the next call.
 */
#ifndef CW_TAR_READER_H
#define CW_TAR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/piece_source.h"
#include "tar/posix_acl.h"

/* The longest header of an entry, with its attributes and the map of its holes:
 * libarchive keeps that in memory, in up to 12 times the space. */
#define TREE_READER_HEAD_BYTES (UINT64_C(8) << 20)

struct tree_reader;

struct tree_entry {
    const char *path; /* unchecked, as in the stream */
    const char *link; /* target of a symbolic or hard link; else NULL */
    bool is_hard_link;
    mode_t mode;         /* type and permissions */
    uint64_t size_bytes; /* of a file's content, holes included */
    uint64_t data_bytes; /* of which the stream contains */
    struct timespec modified, accessed; /* tv_nsec UTIME_OMIT: not recorded */
};

/* input: borrowed until the reader closes.  *reader is owned by the caller.
 * ERROR_SYSTEM; ERROR_PROTOCOL: it does not begin like a tar stream. */
int tree_reader_open(const struct piece_source *input,
                     struct tree_reader **reader, struct error *err);

/*
 * Keeps setuid and setgid bits of files, and file capabilities.  Otherwise they
 * are left out, which the log says once: a stream must not bring programs that
 * run with the rights of others.
 */
void tree_reader_keep_setid(struct tree_reader *reader);

/*
 * Moves to the next entry, past unread data of the last one.  Returns 1:
 * *entry is filled; 0: the end of a complete archive; -1: the error of the
 * input, or ERROR_PROTOCOL: not a tar stream, damaged, cut short.
 */
int tree_reader_next(struct tree_reader *reader, struct tree_entry *entry,
                     struct error *err);

/* Is it an attribute that a stream may bring?  A user's, or the capabilities of
 * a program; the machine itself sets the others. */
bool tree_reader_is_carried(const char *name);

/* The next extended attribute of the entry that is to be set.  False: there are
 * none left.  *name and *value belong to the entry. */
bool tree_reader_xattr(struct tree_reader *reader, const char **name,
                       const void **value, size_t *len);

/* Starts again with the entry's first attribute. */
void tree_reader_xattr_restart(struct tree_reader *reader);

/* The entry's access control lists, as posix_acl_take(). */
int tree_reader_acls(struct tree_reader *reader, struct acls *acls);

/*
 * The next piece of the entry's content: *len bytes at *data belong at
 * *offset. Gaps between pieces, and after the last one, are holes.  Offsets
 * ascend and stay within size_bytes.  Returns 1: a piece; 0: the end; -1 as
 * above.
 */
int tree_reader_data(struct tree_reader *reader, const void **data, size_t *len,
                     uint64_t *offset, struct error *err);

/*
 * Moves to the regular file of exactly this name at the top of the tree
 * ("disk.img", also as "./disk.img").  Returns 1: its content can be read; 0:
 * the archive has no such name; -1: as above, or ERROR_FORMAT: the name is not
 * that of a regular file.
 */
int tree_reader_find(struct tree_reader *reader, const char *name,
                     struct tree_entry *entry, struct error *err);

/* Reads to the end of the archive, which proves that it is complete, and to
 * the end of the input. */
int tree_reader_finish(struct tree_reader *reader, struct error *err);

/* Tolerates NULL. */
void tree_reader_close(struct tree_reader *reader);

#endif
