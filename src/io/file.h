/*
 * file.h - an open disk or volume file: descriptors, geometry, and the best
 * way to move its bytes.  Functions return -errno and take no struct error.
 *
 * Many threads may use one struct file at once; only its owner closes it. fd
 * goes through the page cache and accepts any range; direct_fd is O_DIRECT and
 * accepts ranges aligned to align_bytes.  They never share a page: align_bytes
 * is at least the page size, so an unaligned tail written through fd cannot
 * overwrite what direct_fd wrote next to it.
 */
#ifndef CW_IO_FILE_H
#define CW_IO_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

/* Is it worth checking the page cache before the disk? */
enum file_cached {
    FILE_CACHED_NEVER,  /* devices, and where the mode was requested */
    FILE_CACHED_LOOK,   /* read from the cache if it holds the whole range */
    FILE_CACHED_ALWAYS, /* the file is memory: tmpfs */
};

struct file {
    int fd;                   /* owned; -1 when closed */
    int direct_fd;            /* owned; -1 when O_DIRECT does not work */
    enum cw_io_mode mode;     /* the mode in use; never CW_IO_MODE_AUTO */
    uint32_t align_bytes;     /* of direct ranges and memory; a power of two */
    uint32_t sector_bytes;    /* logical sector of a device, 512 for a file */
    uint64_t size_bytes;      /* of the file or device, at open */
    uint64_t allocated_bytes; /* st_blocks * 512 at open; file only */
    bool is_block_device;
    enum file_cached cached;
    uint64_t window_bytes; /* of page cache; 0: FILE_WINDOW_BYTES */

    /* Set at run time by any thread; never cleared. */
    atomic_bool direct_refused;    /* O_DIRECT returned EINVAL */
    atomic_bool dontcache_refused; /* RWF_DONTCACHE returned EOPNOTSUPP */
};

#define FILE_CLOSED                \
    {                              \
        .fd = -1, .direct_fd = -1, \
    }

/*
 * Opens path with open(2) flags (O_RDONLY, O_RDWR, O_EXCL, O_CREAT, O_TMPFILE
 * ... ; O_CLOEXEC is added) and mode bits perm, and fills *file.
 *
 * wish: CW_IO_MODE_AUTO tries direct, dontcache, buffered in this order; any
 * other value is used, or fails with -EOPNOTSUPP.  O_DIRECT alignment comes
 * from statx(STATX_DIOALIGN) (Linux 6.1), BLKSSZGET, else 4096; one probing
 * read decides.  Only AUTO looks into the page cache of a regular file: the
 * cache of a device may be stale if another node writes it.
 *
 * -ENOTBLK: path is neither a regular file nor a block device. Returns 0, or
 * -errno with *file closed.
 */
int file_open(struct file *file, const char *path, int flags, unsigned perm,
              enum cw_io_mode wish);

/* Accepts a closed file.  Returns 0 or the first -errno of close(2). */
int file_close(struct file *file);

/* The descriptor to use for len bytes at offset from or to buf. */
int file_fd_for(const struct file *file, const void *buf, size_t len,
                uint64_t offset);

/*
 * Reads at most len bytes, as far as this needs no disk; returns 0 if there
 * are none.  Never adds to the page cache.
 */
size_t file_read_cached(const struct file *file, void *buf, size_t len,
                        uint64_t offset);

/* Is fd on a filesystem in memory? */
bool file_is_memory(int fd);

/*
 * Does a running machine (QEMU, by its locks) have the disk of fd open for
 * writing or, with may_read, at all?
 */
bool file_has_guest(int fd, bool may_read);

#define FILE_STAMP_BYTES 256U

/*
 * Writes values that change when the disk of fd is written to, for a later run
 * to compare.  For a file: which file, its size and times.  For a device:
 * which device, since which boot, and how much was written to it (after
 * flushing dirty pages).  Returns false and "" if nothing would show a write
 * (a pipe, a device whose writes are not counted).
 */
bool file_stamp(int fd, char stamp[FILE_STAMP_BYTES]);

/* Flags for preadv2/pwritev2 and io_uring on file->fd: RWF_DONTCACHE or 0. */
int file_rw_flags(const struct file *file);

/* Reads the size of the file or device again into file->size_bytes. */
int file_refresh_size(struct file *file);

/* fdatasync(2) of everything written through either descriptor. */
int file_sync(const struct file *file);

/* fsync(2) of the directory of path, which makes its name durable. */
int file_sync_directory(const char *path);

/* "direct", "dontcache", "buffered". */
const char *file_mode_name(enum cw_io_mode mode);

/*
 * Keeps the page cache of a buffered file small: call it after each read or
 * write with that range.  Does nothing unless mode is CW_IO_MODE_BUFFERED or
 * the better mode was refused at run time.
 *
 * Written ranges: at the end of each window, starts its write-back, waits for
 * the previous window and drops that.  Read ranges: drops the previous window.
 * Use one struct file_window per lane and direction, zeroed.
 */
struct file_window {
    uint64_t begin; /* of the window being filled */
    uint64_t end;
    uint64_t previous_begin;
    uint64_t previous_end;
};

#define FILE_WINDOW_BYTES (UINT64_C(32) << 20)

/*
 * The window for a memory limit (LIMITS_NONE: none) that counts the page
 * cache: FILE_WINDOW_BYTES, or less, so that two windows for each of four
 * lanes fit in half of the limit.
 */
uint64_t file_window_bytes(uint64_t memory_bytes);

void file_window_read(struct file_window *window, const struct file *file,
                      uint64_t offset, uint64_t length);

/* Returns 0, or the -errno of the write-back, which is fatal for the file. */
int file_window_written(struct file_window *window, const struct file *file,
                        uint64_t offset, uint64_t length);

#endif
