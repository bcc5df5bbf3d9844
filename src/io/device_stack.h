/*
 * device_stack.h - what lies on what: a file on its filesystem's device, a
 * partition on its disk, LVM, dm-crypt and RAID on their members, a loop
 * device on its file.
 *
 * Read from /sys/dev/block and /proc/self/mountinfo at each call; nothing is
 * kept.  What this mount namespace cannot see (the file of a loop device that
 * another container attached) is missing from the answer, so "no" means
 * "nothing is known".
 */
#ifndef CW_IO_DEVICE_STACK_H
#define CW_IO_DEVICE_STACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* One block device, regular file, or directory that a file will be made in. */
struct storage {
    bool is_device;
    dev_t device; /* of a device: its own number; of a file: st_dev */
    ino_t inode;  /* of a file; of a device 0 */
    dev_t below;  /* of a file: the device its filesystem lies on; 0: none */
};

/* More layers and branches than any machine builds; the rest is dropped. */
#define DEVICE_STACK_MAX 128U

struct device_stack {
    size_t count;
    struct storage items[DEVICE_STACK_MAX];
};

/* What a loop device shows, and which part of it. */
struct device_stack_loop {
    struct storage file;
    char path[PATH_MAX]; /* as the kernel names the file; may not be ours */
    bool is_read_only;
    uint64_t offset, size_bytes; /* of the part, in file */
};

/* Both: false when it is none of these, or cannot be looked at.  path: links
 * are followed. */
bool device_stack_of_fd(int fd, struct storage *storage);
bool device_stack_of_path(const char *path, struct storage *storage);
struct storage device_stack_device(dev_t device);

bool device_stack_is_same(const struct storage *a, const struct storage *b);

/* Fills *stack with top and all it lies on, or with bottom and all that lies
 * on it: partitions, holders, loop devices; nearest first. */
void device_stack_below(const struct storage *top, struct device_stack *stack);
void device_stack_above(const struct storage *bottom,
                        struct device_stack *stack);

/*
 * Would writing to one change the other?  So if they are the same, one lies
 * on the other, or they are loop devices over one part of one file.  Two
 * partitions of a disk, or two files of a filesystem, are apart.
 */
bool device_stack_overlaps(const struct storage *a, const struct storage *b);

/* False: device is not an attached loop device, or its file is unknown. */
bool device_stack_loop(dev_t device, struct device_stack_loop *loop);

/* "sda1": what the kernel calls a device.  False: there is none. */
bool device_stack_name(dev_t device, char name[NAME_MAX + 1]);

/* "dm-0": the first of what the kernel has built on a device.  False: none. */
bool device_stack_holder(dev_t device, char name[NAME_MAX + 1]);

/*
 * Reads the first line of /sys/dev/block/MAJOR:MINOR/NAME, without its end.
 * False: there is none, or it is empty.
 */
bool device_stack_attribute(dev_t device, const char *name, char *text,
                            size_t len);

#endif
