/*
 * Reads what the page cache already holds: no disk access, no wait.
 *
 * A source that was just written or read is in memory.  O_DIRECT would read it
 * from the disk again and compete with the writers there.  The check adds
 * nothing to the page cache.
 *
 * preadv2(RWF_NOWAIT) alone does not suffice: on a miss it starts read-ahead
 * into the page cache (seen on Linux 6.18), which costs the disk and the
 * memory that direct I/O saves.  cachestat(2) has no side effects.
 */
#include "io/file.h"

#include <linux/magic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* Linux 6.5; one number on every architecture */
#endif

/* The kernel's own structures, missing from Debian 12's headers. */
struct cachestat_range {
    uint64_t offset;
    uint64_t len;
};

struct cachestat_counts {
    uint64_t cached_pages;
    uint64_t dirty_pages;
    uint64_t writeback_pages;
    uint64_t evicted_pages;
    uint64_t recently_evicted_pages;
};

bool file_is_memory(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 &&
           (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static bool is_cached(int fd, size_t len, uint64_t offset)
{
    struct cachestat_range range = { offset, len };
    struct cachestat_counts counts;
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t first = offset / page_bytes;
    uint64_t last = (offset + len - 1) / page_bytes;

    return syscall(SYS_cachestat, fd, &range, &counts, 0) == 0 &&
           counts.cached_pages == last - first + 1;
}

size_t file_read_cached(const struct file *file, void *buf, size_t len,
                        uint64_t offset)
{
    struct iovec iov = { buf, len };
    ssize_t n = 0;

    switch (file->cached) {
    case FILE_CACHED_NEVER: break;
    case FILE_CACHED_ALWAYS:
        n = pread(file->fd, buf, len, (off_t)offset);
        break;
    case FILE_CACHED_LOOK:
        if (is_cached(file->fd, len, offset))
            n = preadv2(file->fd, &iov, 1, (off_t)offset, RWF_NOWAIT);
        break;
    }
    return n > 0 ? (size_t)n : 0;
}
