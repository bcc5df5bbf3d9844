/*
 * device_stack.h - which storage lies on which: a file on its filesystem's
 * device, a partition on its disk, LVM, dm-crypt and RAID on their members, a
 * loop device on its file.
 *
 * Reads /sys/dev/block and /proc/self/mountinfo at each call and caches
 * nothing.  The answer omits what this mount namespace cannot see (the file of
 * a loop device that another container attached), so "no" means "nothing is
 * known".
 */
#ifndef CW_IO_DEVICE_STACK_H
#define CW_IO_DEVICE_STACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* One block device, regular file, or directory that will hold a new file. */
struct storage {
    bool is_device;
    dev_t device; /* device: its own number; file: st_dev */
    ino_t inode;  /* file only; 0 for a device */
    dev_t below;  /* file: the device under its filesystem; 0: none */
};

/* More layers and branches than any machine has; the rest is dropped. */
#define DEVICE_STACK_MAX 128U

struct device_stack {
    size_t count;
    struct storage items[DEVICE_STACK_MAX];
};

/* The file that a loop device shows, and which part of it. */
struct device_stack_loop {
    struct storage file;
    char
        path[PATH_MAX]; /* the kernel's name; may belong to another namespace */
    bool is_read_only;
    uint64_t offset, size_bytes; /* of the part, in file */
};

/* Both follow links in path.  They return false if the storage is of another
 * kind or cannot be examined. */
bool device_stack_of_fd(int fd, struct storage *storage);
bool device_stack_of_path(const char *path, struct storage *storage);
struct storage device_stack_device(dev_t device);

bool device_stack_is_same(const struct storage *a, const struct storage *b);

/* Fills *stack with top and everything it lies on, or with bottom and
 * everything on it: partitions, holders, loop devices; nearest first. */
void device_stack_below(const struct storage *top, struct device_stack *stack);
void device_stack_above(const struct storage *bottom,
                        struct device_stack *stack);

/*
 * Would writing to one change the other?  True if they are the same storage,
 * one lies on the other, or they are loop devices over the same part of one
 * file.  Two partitions of a disk, or two files of a filesystem, do not
 * overlap.
 */
bool device_stack_overlaps(const struct storage *a, const struct storage *b);

/* Returns false if device is not an attached loop device or its file is
 * unknown. */
bool device_stack_loop(dev_t device, struct device_stack_loop *loop);

/* Writes the kernel's name of a device: "sda1".  False if there is none. */
bool device_stack_name(dev_t device, char name[NAME_MAX + 1]);

/* Writes the first device that the kernel built on device: "dm-0".  False if
 * there is none. */
bool device_stack_holder(dev_t device, char name[NAME_MAX + 1]);

/*
 * Reads the first line of /sys/dev/block/MAJOR:MINOR/NAME, without its
 * newline. Returns false if the file is missing or empty.
 */
bool device_stack_attribute(dev_t device, const char *name, char *text,
                            size_t len);

#endif
