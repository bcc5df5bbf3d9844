/*
 * tree_walk.h - everything below a directory, in order: names sorted, a directory
 * before what is in it.  Links are told, not followed.
 *
 * Belongs to one thread.  A tree that changes meanwhile is walked as it is
 * found.
 */
#ifndef CW_TAR_TREE_WALK_H
#define CW_TAR_TREE_WALK_H

#include <sys/stat.h>

#include "base/error.h"

/* How deep a tree may be; each level keeps a directory open. */
#define TREE_WALK_DEPTH 256U

struct tree_walk;

struct tree_walk_entry {
    const char *path; /* below the directory: "sub/file" */
    const char *name; /* its last component */
    int dir_fd;       /* the directory it is in; the walk's */
    struct stat stat;
};

/* *walk is owned by the caller.  skip: names at the top that are left out,
 * with NULL behind them; borrowed.  ERROR_SOURCE_IO, ERROR_SYSTEM. */
int tree_walk_open(const char *directory, const char *const *skip,
                   struct tree_walk **walk, struct error *err);

/* 1: *entry is the next one, good until the next call; 0: no more; -1:
 * ERROR_SOURCE_IO, ERROR_FORMAT (too deep), ERROR_SYSTEM. */
int tree_walk_next(struct tree_walk *walk, struct tree_walk_entry *entry,
                   struct error *err);

/* Tolerates NULL. */
void tree_walk_close(struct tree_walk *walk);

#endif
