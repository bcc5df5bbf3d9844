/* tmpdisk.h - a file to work on that has no name and leaves nothing. */
#ifndef CW_TESTS_TMPDISK_H
#define CW_TESTS_TMPDISK_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"
#include "unit.h"

/* Byte at offset of the pattern all test disks hold. */
static inline uint8_t tmpdisk_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 4096 + 1);
}

static inline void tmpdisk_fill(uint8_t *buf, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = tmpdisk_byte(offset + i);
}

/* Does buf hold the pattern of len bytes at offset? */
static inline bool tmpdisk_matches(const uint8_t *buf, size_t len,
                                   uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        if (buf[i] != tmpdisk_byte(offset + i))
            return false;
    return true;
}

/* Makes dir/clonewire-XXXXXX, size_bytes long and full of the pattern; its
 * name goes to path, for unlink(). */
static inline void tmpdisk_make(char *path, size_t path_len, const char *dir,
                                size_t size_bytes)
{
    uint8_t *content = malloc(size_bytes + 1);
    int fd;

    assert_non_null(content);
    snprintf(path, path_len, "%s/clonewire-XXXXXX", dir);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    tmpdisk_fill(content, size_bytes, 0);
    assert_int_equal(write(fd, content, size_bytes), size_bytes);
    assert_int_equal(fsync(fd), 0);
    close(fd);
    free(content);
}

/* As above, opened into *file and unlinked.  Returns file_open()'s. */
static inline int tmpdisk_open(struct file *file, const char *dir,
                               size_t size_bytes, enum cw_io_mode wish)
{
    char path[256];
    int r;

    tmpdisk_make(path, sizeof(path), dir, size_bytes);
    r = file_open(file, path, O_RDWR, 0, wish);
    unlink(path);
    file->cached = FILE_CACHED_NEVER; /* just written, but ask the disk */
    return r;
}

#endif
