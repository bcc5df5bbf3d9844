/*
 * source_guard.h - one file or block device that is read as a source: is it
 * in use, is it still the same, was it written to?
 *
 * Every descriptor that a source is read through has one, whatever the way it
 * came: by name, as standard input, as a backing file, as a file of a volume.
 * It keeps a descriptor open through all sessions; whoever reads opens that
 * one again, so that no two readers ever have two files of one name.
 *
 * In use is what a running machine writes (QEMU's locks), what is mounted,
 * swap or part of another device, here or in a device that lies on it or
 * shows it (device_in_use.h).  Readers of one block device share it: the
 * kernel's exclusive claim is only looked at, not kept.  Written to is what
 * has another size or other times, or, of a device, more written sectors than
 * before.
 */
#ifndef CW_IO_SOURCE_GUARD_H
#define CW_IO_SOURCE_GUARD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/file.h"

#define SOURCE_GUARD_IDENTITY_BYTES FILE_STAMP_BYTES

struct source_guard {
    int fd;           /* owned */
    const char *name; /* borrowed; for people, and to look up again */
    bool has_name;    /* false: name is not a path from here */
    bool allow_in_use;
    struct stat stat;                           /* when opened */
    char identity[SOURCE_GUARD_IDENTITY_BYTES]; /* when opened; "": unknown */
    /* Opens the same file again: /proc/self/fd/N; "" without a /proc, where
     * only its name does. */
    char path[32];
};

/*
 * Opens path ("-": standard input), known to people as name, and, unless
 * allow_in_use, refuses with ERROR_CHANGED what is in use.  name is looked up
 * again by source_guard_check() if it is path itself, or absolute.  *guard is the
 * caller's.  *guard is NULL, with 0, when path cannot be opened, which who
 * opens it to read reports, or is neither a regular file nor a block device.
 */
int source_guard_open(struct source_guard **guard, const char *path,
                      const char *name, bool allow_in_use, struct error *err);

/*
 * ERROR_CHANGED: since source_guard_open() it was written to, or its name was
 * given to another file.  Always 0 with allow_in_use: who allows that allows
 * it to change.  Of a device, waits for what was written to reach it.
 */
int source_guard_check(const struct source_guard *guard, struct error *err);

/*
 * Writes what changes when the file or device is written to, for a later run
 * to compare: which file (inode and generation), its size and times; or which
 * device since which boot, its size, and how much was written to it.  False:
 * nothing would tell (a device whose writes are not counted).
 */
bool source_guard_identify(const struct source_guard *guard,
                           char identity[SOURCE_GUARD_IDENTITY_BYTES]);

/* Tolerates NULL. */
void source_guard_close(struct source_guard *guard);

#endif
