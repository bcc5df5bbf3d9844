/*
 * loopdev.h - a block device over a temporary file, gone with its holder.
 *
 * The device is set up to clear itself when the last descriptor is closed,
 * and the file has no name: nothing stays behind, however the test ends.
 */
#ifndef CW_TESTS_LOOPDEV_H
#define CW_TESTS_LOOPDEV_H

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "unit.h"

struct loopdev {
    int fd; /* keeps the device; -1: there is none */
    char path[32];
};

static inline int loopdev_configure(int backing, unsigned sector_bytes,
                                    unsigned flags, struct loopdev *loop)
{
    struct loop_config config = {
        .fd = (__u32)backing,
        .block_size = sector_bytes,
        .info.lo_flags = LO_FLAGS_AUTOCLEAR | flags,
    };
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number;

    if (control < 0)
        return -1;
    number = ioctl(control, LOOP_CTL_GET_FREE);
    close(control);
    if (number < 0)
        return -1;
    snprintf(loop->path, sizeof(loop->path), "/dev/loop%d", number);
    loop->fd = open(loop->path, O_RDWR | O_CLOEXEC);
    if (loop->fd < 0)
        return -1;
    if (ioctl(loop->fd, LOOP_CONFIGURE, &config) == 0)
        return 0;
    close(loop->fd);
    loop->fd = -1;
    return -1;
}

/*
 * A device of size_bytes, every byte fill.  flags: LO_FLAGS_READ_ONLY or 0.
 * False where this user cannot have one: skip the test.
 */
static inline bool loopdev_open(struct loopdev *loop, size_t size_bytes,
                                unsigned sector_bytes, uint8_t fill,
                                unsigned flags)
{
    char path[] = "/dev/shm/clonewire-loop-XXXXXX";
    uint8_t *content = malloc(size_bytes);
    int backing = mkstemp(path), r = -1;

    loop->fd = -1;
    assert_true(backing >= 0);
    assert_non_null(content);
    unlink(path);
    memset(content, fill, size_bytes);
    assert_int_equal(write(backing, content, size_bytes), size_bytes);
    free(content);
    /* Somebody else may take the free one first. */
    for (int i = 0; i < 50 && r < 0; i++)
        r = loopdev_configure(backing, sector_bytes, flags, loop);
    close(backing);
    return r == 0;
}

static inline void loopdev_close(struct loopdev *loop)
{
    if (loop->fd >= 0)
        close(loop->fd);
    loop->fd = -1;
}

/* Bytes of [offset, offset+length) that are not want. */
static inline size_t fd_count_other(int fd, uint64_t offset, size_t length,
                                    uint8_t want)
{
    uint8_t *buf = malloc(length + 1);
    size_t n = 0;

    assert_non_null(buf);
    assert_int_equal(pread(fd, buf, length, (off_t)offset), length);
    for (size_t i = 0; i < length; i++)
        n += buf[i] != want;
    free(buf);
    return n;
}

#endif
