/* device_info.h - describes the target that is about to be overwritten, for
 * the person or program that must agree.  Read-only. */
#ifndef CW_SINK_DEVICE_INFO_H
#define CW_SINK_DEVICE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct device_info {
    bool is_block_device; /* all other fields are of a device */
    bool is_blank;        /* a device without signature or data */
    uint64_t size_bytes;
    char model[96];     /* "Samsung SSD 870", "loop over disk.img", or "" */
    char serial[96];    /* or "" */
    char contents[160]; /* "ext4 filesystem \"root\"", "nothing", ... */
};

/* Errors as of target_path_look().  An unreadable device is not blank. */
int device_info_read(const char *path, struct device_info *look,
                     struct error *err);

/* Fills in the kernel's names of a disk; directory is its entry in
 * /sys/dev/block. */
void device_info_identify(const char *directory, struct device_info *look);

#endif
