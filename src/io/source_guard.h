/*
 * source_guard.h - one file or block device that is read as a source: is it in
 * use, is it still the same, was it written to?
 *
 * Every descriptor that a source is read through has one, however it was
 * opened: by name, as standard input, as a backing file, as a file of a
 * volume.  It keeps a descriptor open through all sessions; readers reopen
 * that one, so that two readers never read different files of one name.
 *
 * A disk is in use if a running machine writes it (QEMU's locks), or if it is
 * mounted, swap or part of another device, directly or through a device that
 * lies on it or shows it (device_in_use.h).  Readers of one block device share
 * it: they only test the kernel's exclusive claim and do not keep it.  A disk
 * was written to if its size or times changed or, for a device, if its count
 * of written sectors grew.
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
    const char *name; /* borrowed; for messages, and to look up again */
    bool has_name;    /* false: name is not a path on this machine */
    bool allow_in_use;
    struct stat stat;                           /* at open */
    char identity[SOURCE_GUARD_IDENTITY_BYTES]; /* at open; "": unknown */
    /* Reopens the same file: /proc/self/fd/N; "" without /proc, where only
     * name can reopen it. */
    char path[32];
};

/*
 * Opens path ("-": standard input), called name in messages, and fails with
 * ERROR_CHANGED if it is in use, unless allow_in_use.  source_guard_check()
 * looks name up again if it is path itself, or absolute.  The caller owns
 * *guard.  *guard is NULL, with 0, if path cannot be opened (the reader
 * reports that) or is neither a regular file nor a block device.
 */
int source_guard_open(struct source_guard **guard, const char *path,
                      const char *name, bool allow_in_use, struct error *err);

/*
 * As source_guard_open(), where other users write the directory of path: never
 * through a symbolic link that one of them put in the file's place.
 * ERROR_SOURCE_IO: path is one.
 */
int source_guard_open_here(struct source_guard **guard, const char *path,
                           bool allow_in_use, struct error *err);

/*
 * ERROR_CHANGED: since source_guard_open() the source was written to, or its
 * name refers to another file.  Always 0 with allow_in_use, which allows
 * changes.  For a device, first waits for pending writes to reach it.
 */
int source_guard_check(const struct source_guard *guard, struct error *err);

/*
 * Writes values that change when the file or device is written to, for a later
 * run to compare.  For a file: inode and generation, size and times. For a
 * device: which device since which boot, its size, and how much was written to
 * it.  Returns false if nothing would show a write (a device whose writes are
 * not counted).
 */
bool source_guard_identify(const struct source_guard *guard,
                           char identity[SOURCE_GUARD_IDENTITY_BYTES]);

/* Accepts NULL. */
void source_guard_close(struct source_guard *guard);

#endif
