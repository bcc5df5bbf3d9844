/*
 * posix_acl.h - POSIX access control lists: the kernel keeps them as attributes of
 * a file or directory, a tar stream as lists of libarchive's.
 */
#ifndef CW_TAR_POSIX_ACL_H
#define CW_TAR_POSIX_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct archive_entry;

enum posix_acl_kind {
    POSIX_ACL_ACCESS,
    POSIX_ACL_DEFAULT, /* what files made in a directory get */
    POSIX_ACL_KINDS
};

/* The attributes' names, by kind. */
extern const char *const posix_acl_names[POSIX_ACL_KINDS];

/* The lists of one entry, as the kernel has them; NULL: none. */
struct acls {
    void *values[POSIX_ACL_KINDS]; /* owned */
    size_t lens[POSIX_ACL_KINDS];
};

/* Puts the value of the attribute of that kind into the entry, whose mode
 * must have been set.  0, or -EINVAL: it is no such list. */
int posix_acl_add(struct archive_entry *to, enum posix_acl_kind kind,
                  const void *value, size_t len);

/*
 * Takes both lists from the entry; *acls is owned by the caller, also on
 * failure.  0; -ENOMEM; -EINVAL: too long a list; -ESRCH: it tells of users
 * by name alone, which are others here.
 */
int posix_acl_take(struct archive_entry *from, struct acls *acls);

/* The mode's permissions of the group, which are the list's mask where it has
 * one, while libarchive takes them for the group's own. */
mode_t posix_acl_mode(struct archive_entry *from);

void posix_acl_fini(struct acls *acls);

#endif
