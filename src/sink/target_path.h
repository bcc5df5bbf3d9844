/* target_path.h - examines the path of a target and the space of its volume.
 * Read-only; opens nothing. */
#ifndef CW_SINK_TARGET_PATH_H
#define CW_SINK_TARGET_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum target_path_kind {
    TARGET_PATH_NOTHING, /* the name is free, in a directory that exists */
    TARGET_PATH_FILE,    /* a regular file */
    TARGET_PATH_DEVICE,  /* a block device, possibly through a symbolic link */
};

struct target_path {
    enum target_path_kind kind;
    dev_t device;             /* of TARGET_PATH_DEVICE */
    uint64_t allocated_bytes; /* what removing TARGET_PATH_FILE would free */
};

/*
 * Fails with ERROR_REFUSED for a path that cannot hold a disk: a directory, a
 * link to a file, a character device, a new name below /dev.  ERROR_TARGET_IO:
 * stat fails, or the directory does not exist.
 */
int target_path_look(const char *path, struct target_path *place,
                     struct error *err);

/* ".NAME.clonewire-partial" beside path; from number 2 on, "-2", "-3", ... is
 * appended.  A long NAME is cut, and has a hash at its end.  Owned by the caller.  NULL: out of memory. */
char *target_path_partial(const char *path, unsigned number);

/* ".NAME.clonewire-state" beside path, or in directory if that is not NULL,
 * with a hash of the whole path in its name.  Owned by the caller. */
char *target_path_state(const char *path, const char *directory);

/* The directory of path.  Owned by the caller.  NULL: out of memory. */
char *target_path_directory(const char *path);

struct volume_space {
    uint64_t available_bytes; /* to an ordinary user */
    uint64_t total_bytes;     /* with all the filesystem's own overhead */
    uint64_t kept_bytes;      /* of it: metadata, journal, reserved blocks */
};

/* Space of the filesystem that holds directory.  ERROR_TARGET_IO. */
int volume_space(const char *directory, struct volume_space *volume,
                 struct error *err);

#endif
