/*
 * tree_walk.h - walks everything below a directory, in order: names sorted, but
 * for one that comes first, a directory before its content.  Links are returned, not followed.
 *
 * Belongs to one thread.  A tree that changes meanwhile is walked as it is
 * found.
 */
#ifndef CW_TAR_TREE_WALK_H
#define CW_TAR_TREE_WALK_H

#include <sys/stat.h>

#include "base/error.h"

/* The maximum depth of a tree; each level keeps a directory open. */
#define TREE_WALK_DEPTH 256U

struct tree_walk;

struct tree_walk_entry {
    const char *path; /* below the directory: "sub/file" */
    const char *name; /* its last component */
    int dir_fd;       /* the directory it is in; the walk's */
    struct stat stat;
};

/* *walk is owned by the caller. skip: names to leave out at the top,
 * NULL-terminated; borrowed. first: the name that comes before all others at
 * the top, if it is there.  ERROR_SOURCE_IO, ERROR_SYSTEM. */
int tree_walk_open(const char *directory, const char *const *skip,
                   const char *first, struct tree_walk **walk,
                   struct error *err);

/* Returns 1: *entry is the next one, valid until the next call; 0: the end;
 * -1: ERROR_SOURCE_IO, ERROR_FORMAT (too deep), ERROR_SYSTEM. */
int tree_walk_next(struct tree_walk *walk, struct tree_walk_entry *entry,
                   struct error *err);

/* Tolerates NULL. */
void tree_walk_close(struct tree_walk *walk);

#endif
