/* sinkplace.h - a directory to put a file sink's disk in, and looks at it. */
#ifndef CW_TESTS_SINKPLACE_H
#define CW_TESTS_SINKPLACE_H

#include <fcntl.h>
#include <sys/mount.h>

#include "loopdev.h"
#include "sinktest.h"

/* A directory of its own for every test, emptied after it. */
static struct {
    char dir[64];
    char path[128];
    char partial[160];
} place;

static inline int setup_in(const char *base)
{
    snprintf(place.dir, sizeof(place.dir), "%s/clonewire-sink-XXXXXX", base);
    if (!mkdtemp(place.dir))
        return -1;
    snprintf(place.path, sizeof(place.path), "%s/disk.img", place.dir);
    snprintf(place.partial, sizeof(place.partial),
             "%s/.disk.img.clonewire-partial", place.dir);
    umask(0027);
    ring_failure = 0;
    return 0;
}

static inline int setup(void **state)
{
    (void)state;
    return setup_in("/var/tmp");
}

static inline int teardown(void **state)
{
    char link[128];

    (void)state;
    snprintf(link, sizeof(link), "%s/link", place.dir);
    unlink(link);
    unlink(place.path);
    unlink(place.partial);
    rmdir(place.path);
    umount2(place.dir, MNT_DETACH);
    return rmdir(place.dir);
}

static inline struct sink_options usual(void)
{
    return (struct sink_options){ .path = place.path, .overhead_ppm = 55000 };
}

static inline void put_file(const char *path, size_t bytes, uint8_t byte)
{
    uint8_t *content = malloc(bytes + 1);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_non_null(content);
    assert_true(fd >= 0);
    memset(content, byte, bytes);
    assert_int_equal(write(fd, content, bytes), bytes);
    assert_int_equal(fsync(fd), 0);
    close(fd);
    free(content);
}

static inline uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

static inline uint64_t allocated_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : UINT64_MAX;
}

static inline bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static inline void assert_disk(uint64_t data_bytes, uint64_t disk_bytes)
{
    int fd = open(place.path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(size_of(place.path), disk_bytes);
    assert_int_equal(fd_count_other(fd, 0, data_bytes, 'D'), 0);
    assert_int_equal(fd_count_other(fd, data_bytes, disk_bytes - data_bytes, 0),
                     0);
    close(fd);
    assert_false(exists(place.partial));
}

#endif
