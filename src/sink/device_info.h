/*
 * device_info.h - what a target is about to overwrite, for whoever must agree.
 * Looks only; changes nothing.
 */
#ifndef CW_SINK_DEVICE_INFO_H
#define CW_SINK_DEVICE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct device_info {
    bool is_block_device; /* all else is of a device */
    bool is_blank;        /* nothing on it that anybody could miss */
    uint64_t size_bytes;
    char model[96];     /* "Samsung SSD 870", "loop over disk.img", or "" */
    char serial[96];    /* or "" */
    char contents[160]; /* "ext4 filesystem \"root\"", "nothing", ... */
};

/* Errors as of target_path_look(); a device that cannot be read is not blank. */
int device_info_read(const char *path, struct device_info *look,
                     struct error *err);

/* The names that the kernel has for a disk; directory is its entry in
 * /sys/dev/block. */
void device_info_identify(const char *directory, struct device_info *look);

#endif
