/*
 * mount_table.h - what /proc/self/mountinfo and /proc/swaps say of this mount
 * namespace.
 */
#ifndef CW_IO_MOUNT_TABLE_H
#define CW_IO_MOUNT_TABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mount_table_entry {
    uint64_t id;           /* as of STATX_MNT_ID */
    unsigned major, minor; /* 0:n for filesystems of several devices */
    char point[PATH_MAX];
    char source[PATH_MAX];
};

/* The whole of a file of the kernel's, owned by the caller; NULL: cannot. */
char *mount_table_read(const char *path);

/*
 * Reads one line of /proc/self/mountinfo from *text, which moves past it.
 * Lines that make no sense are skipped.  False at the end.
 */
bool mount_table_next(const char **text, struct mount_table_entry *mount);

/* Likewise the first word of each line of /proc/swaps, but its heading. */
bool mount_table_next_swap(const char **text, char path[PATH_MAX]);

/* "8:17" and then nothing, or the end of the line. */
bool mount_table_parse_device(const char *text, unsigned *major_number,
                              unsigned *minor_number);

/* The block device that the mount of this id names as its source; false: it
 * names none. */
bool mount_table_source(uint64_t id, dev_t *device);

#endif
