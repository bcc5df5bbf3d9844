/*
 * device_in_use.h - does anything write to a disk, and what?
 *
 * Walks the stack of devices (device_stack.h): a mount, swap space, LVM, RAID
 * or dm-crypt on the device, on a partition of it, or on a loop device over
 * the file.  For a loop device, also finds other users of its file.
 */
#ifndef CW_IO_DEVICE_IN_USE_H
#define CW_IO_DEVICE_IN_USE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/device_stack.h"

/*
 * Writes what uses the disk into why: "mounted on /srv", "in use: partition
 * sda1 is mounted on /srv", "in use by dm-0 (vg-root)", "used for swap".
 * Returns false if nothing is found.  Mounts in other mount namespaces are
 * visible only to device_in_use_is_claimed().
 */
bool device_in_use_find(const struct storage *storage, char *why, size_t len);

/*
 * Does the kernel refuse an exclusive open of the block device at path? It
 * does if the device is mounted in any namespace, part of another device, or
 * claimed by a program.  Holds its own claim only for a moment, so that
 * several readers pass; waits up to 2 s for others that probe at the same
 * time.
 */
bool device_in_use_is_claimed(const char *path);

/*
 * Takes flock(2) on an open device node, shared or exclusive, as systemd's
 * block device locking specifies: sfdisk --lock and mkfs wait for it, udev
 * does not probe under an exclusive lock.  The lock lasts until fd is closed
 * and covers only openers of the same node.  Waits up to 2 s for a udev probe;
 * returns false if another program keeps the lock.
 */
bool device_in_use_lock(int fd, bool exclusive);

/* Is the file at path swap space of this machine? */
bool device_in_use_as_swap_file(const char *path);

#endif
