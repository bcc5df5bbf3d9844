/* extract_entry.h - one entry of a tar stream becomes one thing on the disk. */
#ifndef CW_TAR_EXTRACT_ENTRY_H
#define CW_TAR_EXTRACT_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tar/reader.h"
#include "tar/safe_path.h"

struct unpack_place {
    struct safe_path at;   /* where the entry is to be; nothing is there */
    int top_fd;            /* of the tree: hard links are named from here */
    bool preallocate;      /* and cleared when the filesystem cannot */
    uint64_t window_bytes; /* of page cache; file.h */
    atomic_uint_fast64_t *written_bytes; /* may be NULL */
};

/* A regular file, with its content, which reader stands at.  Large ones are
 * durable then. */
int tar_extract_entry(struct unpack_place *place, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err);

/* A link, a named pipe.  ERROR_REFUSED: a device, a socket. */
int unpack_special(struct unpack_place *place, struct tree_reader *reader,
                   const struct tree_entry *entry, struct error *err);

/* Gives fd the entry's attributes, as far as the filesystem has any. */
int unpack_attributes(int fd, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err);

/*
 * The entry's access control lists; *acls is owned by the caller, also on
 * failure.  Users known by name alone are others here: that list is left out.
 */
int unpack_take_acls(struct tree_reader *reader, const char *path,
                     struct acls *acls, struct error *err);

/* Gives fd, whose mode is set already, the list of that kind, as far as the
 * filesystem has any. */
int unpack_set_acl(int fd, const struct acls *acls, enum posix_acl_kind kind,
                   const char *path, struct error *err);

/* What an errno of the target's disk means: ERROR_NO_SPACE or
 * ERROR_TARGET_IO.  Returns -1. */
int unpack_failed(struct error *err, int errnum, const char *what,
                  const char *path);

#endif
