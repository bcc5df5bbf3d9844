/*
 * device_info.h - what a target is about to overwrite, for whoever must agree.
 * Looks only; changes nothing.
 */
#ifndef CW_SINK_DEVICE_INFO_H
#define CW_SINK_DEVICE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct look {
    bool is_block_device; /* all else is of a device */
    bool is_blank;        /* nothing on it that anybody could miss */
    uint64_t size_bytes;
    char model[96];     /* "Samsung SSD 870", "loop over disk.img", or "" */
    char serial[96];    /* or "" */
    char contents[160]; /* "ext4 filesystem \"root\"", "nothing", ... */
};

/* Errors as of place_look(); a device that cannot be read is not blank. */
int look_at(const char *path, struct look *look, struct error *err);

/* The names that the kernel has for a disk; directory is its entry in
 * /sys/dev/block. */
void look_identify(const char *directory, struct look *look);

#endif
