/*
 * target_path.h - what stands at the path of a target, and what its volume offers.
 * Looks only; opens and changes nothing.
 */
#ifndef CW_SINK_TARGET_PATH_H
#define CW_SINK_TARGET_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum place_kind {
    PLACE_NOTHING, /* the name is free, in a directory that exists */
    PLACE_FILE,    /* a regular file */
    PLACE_DEVICE,  /* a block device, perhaps by a symbolic link */
};

struct place {
    enum place_kind kind;
    dev_t device;             /* of PLACE_DEVICE */
    uint64_t allocated_bytes; /* what removing PLACE_FILE would free */
};

/*
 * Refuses with ERROR_REFUSED what no disk may be written to: a directory, a
 * link to a file, a character device, a new name below /dev.
 * ERROR_TARGET_IO: cannot look, or there is no such directory.
 */
int place_look(const char *path, struct place *place, struct error *err);

/* ".NAME.clonewire-partial" beside path; owned by the caller.  NULL: memory. */
char *place_partial(const char *path);

/*
 * ".NAME.clonewire-state" beside path, or when directory is not NULL, in it,
 * with a hash of the whole path in its name.  Owned by the caller.
 */
char *place_state(const char *path, const char *directory);

/* The directory of path; owned by the caller.  NULL: memory. */
char *place_directory(const char *path);

struct place_volume {
    uint64_t available_bytes; /* to an ordinary user */
    uint64_t total_bytes;     /* with all the filesystem keeps for itself */
    uint64_t kept_bytes;      /* of it: metadata, journal, reserved blocks */
};

/* Of the filesystem that directory is on.  ERROR_TARGET_IO. */
int place_volume(const char *directory, struct place_volume *volume,
                 struct error *err);

#endif
