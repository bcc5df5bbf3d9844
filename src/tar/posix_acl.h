/* posix_acl.h - converts POSIX access control lists between the kernel's
 * attributes of a file or directory and the lists of libarchive. */
#ifndef CW_TAR_POSIX_ACL_H
#define CW_TAR_POSIX_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct archive_entry;

enum posix_acl_kind {
    POSIX_ACL_ACCESS,
    POSIX_ACL_DEFAULT, /* for new files in a directory */
    POSIX_ACL_KINDS
};

/* The names of the attributes, by kind. */
extern const char *const posix_acl_names[POSIX_ACL_KINDS];

/* The lists of one entry, in the kernel's format; NULL: none. */
struct acls {
    void *values[POSIX_ACL_KINDS]; /* owned */
    size_t lens[POSIX_ACL_KINDS];
};

/* Adds the attribute value of that kind to the entry, whose mode must be set.
 * Returns 0, or -EINVAL if the value is not a valid list. */
int posix_acl_add(struct archive_entry *to, enum posix_acl_kind kind,
                  const void *value, size_t len);

/*
 * Reads both lists from the entry; *acls is owned by the caller, also on
 * failure. Returns 0; -ENOMEM; -EINVAL: a list is too long; -ESRCH: a list,
 * which is left out of *acls, has users known only by name, who do not exist
 * here.
 */
int posix_acl_take(struct archive_entry *from, struct acls *acls);

/* The mode of a file that gets no list: of the group's own permissions, only
 * those that the list's mask lets through.  With the list, the kernel itself
 * puts the mask there. */
mode_t posix_acl_mode(struct archive_entry *from);

void posix_acl_fini(struct acls *acls);

#endif
