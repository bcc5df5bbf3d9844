/* extract_private.h - shared by the two ways to unpack a tree: extract.c, from
 * a stream with all content, and stage.c, from an index.  Not for other layers. */
#ifndef CW_TAR_EXTRACT_PRIVATE_H
#define CW_TAR_EXTRACT_PRIVATE_H

#include <fcntl.h>

#include "tar/extract.h"
#include "tar/extract_entry.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* The attributes of a directory, applied after the last entry. */
struct late {
    size_t number; /* of those before it */
    mode_t mode;
    struct timespec modified;
    struct acls acls; /* set now, the default one would apply to its files */
    char path[];
};

struct tar_extract {
    int root_fd; /* the directory; owned */
    int tree_fd; /* the unfinished tree in it; owned */
    const char *directory;
    struct tree_reader *reader; /* owned */
    struct unpack_place place;
    struct tar_extract_report *report;
    bool is_absolute_told; /* the log says that a leading "/" is left out */
    struct late **late;    /* owned, each too */
    size_t late_count;
    uint64_t late_bytes; /* of memory */
};

/* Opens the directory; makes the unfinished tree in it, which is locked.
 * ERROR_REFUSED: another process works in it. */
int tar_extract_open(struct tar_extract *u, struct error *err);
int tar_extract_make_tree(struct tar_extract *u, struct error *err);

/* Keeps what a directory gets when the last entry is in place. */
int tar_extract_keep_directory(struct tar_extract *u,
                               const struct tree_entry *entry,
                               struct error *err);

/* ERROR_REFUSED: the tree has a name that is the volume's own. */
int tar_extract_check_names(const struct tar_extract *u, struct error *err);

/*
 * Flushes the tree, removes the file mark from it (NULL: there is none) and
 * moves the tree into place, durably.
 */
int tar_extract_publish(struct tar_extract *u, const char *mark,
                        struct error *err);

/* Explains r, of safe_path_open().  Returns -1. */
int tar_extract_refuse_path(int r, const char *path, struct error *err);

/* Adds to an ENOSPC that it is about inodes, if it is. */
void tar_extract_name_inodes(const struct tar_extract *u, struct error *err);

/* keeps: the unfinished tree stays for a later run. */
void tar_extract_close(struct tar_extract *u, bool keeps);

#endif
