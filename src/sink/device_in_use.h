/*
 * device_in_use.h - is a block device in use, and by what?
 *
 * The kernel's own guard is open(2) with O_EXCL; this only finds the words
 * for its EBUSY: mounted where, swap, part of which device.  What other
 * mount namespaces hold cannot be seen from here.
 */
#ifndef CW_SINK_DEVICE_IN_USE_H
#define CW_SINK_DEVICE_IN_USE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct device_in_use_mount {
    unsigned major, minor; /* 0:n for filesystems of several devices */
    char point[PATH_MAX];
    char source[PATH_MAX];
};

/*
 * Reads one line of /proc/self/mountinfo from *text, which moves behind it.
 * Lines that make no sense are skipped.  False at the end.
 */
bool device_in_use_next_mount(const char **text,
                              struct device_in_use_mount *mount);

/* Likewise the first word of each line of /proc/swaps, but its heading. */
bool device_in_use_next_swap(const char **text, char path[PATH_MAX]);

/*
 * Writes what uses device into why: "mounted on /srv", "partition sda1 is
 * mounted on /srv", "in use by dm-0 (vg-root)", "used for swap".  False when
 * nothing is found.
 */
bool device_in_use_find(dev_t device, char *why, size_t why_len);

/* Is the file at path swap space of this machine? */
bool device_in_use_as_swap_file(const char *path);

#endif
