/*
 * source_guard.h - is somebody else writing the container of an image?
 *
 * Looked for: QEMU's locks on a file or device (a running machine holds a
 * shared lock on the byte of each permission it uses), the kernel's own
 * exclusive claim on a device (mounted, swap, part of another), and a file's
 * size and times, or what the kernel has counted as written to a device,
 * which tell afterwards.
 */
#ifndef CW_IMAGE_SOURCE_GUARD_H
#define CW_IMAGE_SOURCE_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

#define SOURCE_GUARD_IDENTITY_BYTES 256U

struct source_guard {
    int fd;           /* owned; -1: nothing to guard (a pipe) */
    const char *path; /* borrowed */
    bool is_file;
    uint64_t size_bytes;
    struct timespec changed; /* st_mtim */
    char device
        [SOURCE_GUARD_IDENTITY_BYTES]; /* its identity then; "": unknown */
};

/*
 * Opens and, unless allow_in_use, refuses with ERROR_CHANGED a container that
 * somebody may write.  A device stays claimed until source_guard_close().  What
 * cannot be opened is left to image_open() to refuse.
 */
int source_guard_open(struct source_guard *guard, const char *path,
                      bool allow_in_use, struct error *err);

/* ERROR_CHANGED: it has been written to since source_guard_open(), by its size and
 * times, or by what was written to the device. */
int source_guard_check(const struct source_guard *guard, struct error *err);

/*
 * Writes what changes when the container is written to, for a later run to
 * compare: which file, its size and times; or which device since which boot,
 * and how much was written to it.  False: there is nothing that would tell
 * (a pipe, a device whose writes are not counted).
 */
bool source_guard_identify(const struct source_guard *guard,
                           char identity[SOURCE_GUARD_IDENTITY_BYTES]);

/* Tolerates one that source_guard_open() has failed on. */
void source_guard_close(struct source_guard *guard);

#endif
