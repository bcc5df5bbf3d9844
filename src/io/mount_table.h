/*
 * mount_table.h - /proc/self/mountinfo and /proc/swaps of this mount
 * namespace.
 */
#ifndef CW_IO_MOUNT_TABLE_H
#define CW_IO_MOUNT_TABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mount_table_entry {
    uint64_t id;           /* as in STATX_MNT_ID */
    unsigned major, minor; /* 0:n for filesystems of several devices */
    char type[32];         /* "ext4", "fuse.glusterfs" */
    char point[PATH_MAX];
    char source[PATH_MAX];
};

/*
 * Reads one line of /proc/self/mountinfo from *text, which moves past it.
 * Skips malformed lines.  Returns false at the end.
 */
bool mount_table_next(const char **text, struct mount_table_entry *mount);

/* Likewise the first word of each line of /proc/swaps after its heading. */
bool mount_table_next_swap(const char **text, char path[PATH_MAX]);

/* Parses "8:17", followed by nothing or the end of the line. */
bool mount_table_parse_device(const char *text, unsigned *major_number,
                              unsigned *minor_number);

/* Finds the block device that the mount with this id names as its source;
 * false if it names none. */
bool mount_table_source(uint64_t id, dev_t *device);

#endif
