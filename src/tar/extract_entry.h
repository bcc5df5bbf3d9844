/* extract_entry.h - unpacks one entry of a tar stream to the disk. */
#ifndef CW_TAR_EXTRACT_ENTRY_H
#define CW_TAR_EXTRACT_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tar/reader.h"
#include "tar/safe_path.h"
#include "tar/unchanged_file.h"

struct unpack_place {
    struct safe_path at; /* path of the entry; nothing exists there */
    int top_fd;          /* top of the tree: hard links are relative to it */
    int root_fd;         /* of the volume, with the files that are there */
    uint64_t kept_bytes; /* of the volume, for the filesystem's own use */
    struct unchanged_file_linked linked;
    bool preallocate;                    /* cleared if the filesystem cannot */
    uint64_t window_bytes;               /* of page cache; file.h */
    atomic_uint_fast64_t *written_bytes; /* may be NULL */
};

/* Unpacks a regular file with its content, which is next in reader, unless the
 * volume has it already (unchanged_file.h).  Large files are durable
 * afterwards. */
int tar_extract_entry(struct unpack_place *place, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err);

/* Unpacks a link or a named pipe, and skips a device, with a warning.
 * ERROR_REFUSED. */
int unpack_special(struct unpack_place *place, const struct tree_entry *entry,
                   struct error *err);

/* Sets mode, times and attributes of a file with its content, and flushes a
 * large one. */
int unpack_finish_file(int fd, struct tree_reader *reader,
                       const struct tree_entry *entry, struct error *err);

/* ERROR_REFUSED: what the entry links to is not in the tree. */
int unpack_hard_link(struct unpack_place *place, const struct tree_entry *entry,
                     struct error *err);

/* Sets permissions and times (access, modification) of fd, as far as the
 * filesystem allows that. */
int unpack_mode(int fd, mode_t mode, const struct timespec times[2],
                const char *path, struct error *err);

/* Sets the entry's attributes on fd, as far as the filesystem supports them. */
int unpack_attributes(int fd, struct tree_reader *reader,
                      const struct tree_entry *entry, struct error *err);

/*
 * Reads the entry's access control lists; *acls is owned by the caller, also
 * on failure.  Leaves out a list with users known only by name, who do not
 * exist here.
 */
int unpack_take_acls(struct tree_reader *reader, const char *path,
                     struct acls *acls, struct error *err);

/* Sets the list of that kind on fd, whose mode is already set, if the
 * filesystem supports it. */
int unpack_set_acl(int fd, const struct acls *acls, enum posix_acl_kind kind,
                   const char *path, struct error *err);

/*
 * Translates an errno.  ERROR_NO_SPACE; ERROR_REFUSED: the stream asks for what
 * this filesystem cannot have; else ERROR_TARGET_IO: the disk has failed, or
 * is not for us to write.  Returns -1.
 */
int unpack_failed(struct error *err, int errnum, const char *what,
                  const char *path);

#endif
