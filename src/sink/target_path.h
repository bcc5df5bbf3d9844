/*
 * target_path.h - what stands at the path of a target, and what its volume offers.
 * Looks only; opens and changes nothing.
 */
#ifndef CW_SINK_TARGET_PATH_H
#define CW_SINK_TARGET_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum target_path_kind {
    TARGET_PATH_NOTHING, /* the name is free, in a directory that exists */
    TARGET_PATH_FILE,    /* a regular file */
    TARGET_PATH_DEVICE,  /* a block device, perhaps by a symbolic link */
};

struct target_path {
    enum target_path_kind kind;
    dev_t device;             /* of TARGET_PATH_DEVICE */
    uint64_t allocated_bytes; /* what removing TARGET_PATH_FILE would free */
};

/*
 * Refuses with ERROR_REFUSED what no disk may be written to: a directory, a
 * link to a file, a character device, a new name below /dev.
 * ERROR_TARGET_IO: cannot look, or there is no such directory.
 */
int target_path_look(const char *path, struct target_path *place,
                     struct error *err);

/*
 * ".NAME.clonewire-partial" beside path, and from number 2 on with "-2", "-3",
 * ... behind it.  Owned by the caller.  NULL: no memory.
 */
char *target_path_partial(const char *path, unsigned number);

/*
 * ".NAME.clonewire-state" beside path, or when directory is not NULL, in it,
 * with a hash of the whole path in its name.  Owned by the caller.
 */
char *target_path_state(const char *path, const char *directory);

/* The directory of path; owned by the caller.  NULL: memory. */
char *target_path_directory(const char *path);

struct volume_space {
    uint64_t available_bytes; /* to an ordinary user */
    uint64_t total_bytes;     /* with all the filesystem keeps for itself */
    uint64_t kept_bytes;      /* of it: metadata, journal, reserved blocks */
};

/* Of the filesystem that directory is on.  ERROR_TARGET_IO. */
int volume_space(const char *directory, struct volume_space *volume,
                 struct error *err);

#endif
