/*
 * file.h - an open disk or volume file: descriptors, geometry, and how its
 * bytes are best moved.  Leaves return -errno and take no struct error.
 *
 * One struct file may be used by many threads at once; only its owner closes
 * it.  Two descriptors: fd goes through the page cache and takes any range;
 * direct_fd is O_DIRECT and takes ranges aligned to align_bytes.  They never
 * share a page: align_bytes is at least the page size, so an unaligned tail
 * written through fd cannot overwrite what direct_fd wrote beside it.
 */
#ifndef CW_IO_FILE_H
#define CW_IO_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How bytes move, best first. */
enum file_mode {
    FILE_MODE_AUTO,      /* as a wish: the first of these that works */
    FILE_MODE_DIRECT,    /* O_DIRECT: no page cache at all */
    FILE_MODE_DONTCACHE, /* RWF_DONTCACHE, Linux 6.14: dropped behind us */
    FILE_MODE_BUFFERED,  /* page cache, written back and dropped in windows */
};

/* Is it worth asking the page cache before the disk? */
enum file_cached {
    FILE_CACHED_NEVER,  /* devices, and where the mode was asked for */
    FILE_CACHED_LOOK,   /* where all of a range is cached, it is read there */
    FILE_CACHED_ALWAYS, /* the file is memory: tmpfs */
};

struct file {
    int fd;                   /* owned; -1 when closed */
    int direct_fd;            /* owned; -1 when O_DIRECT does not work */
    enum file_mode mode;      /* what auto came to; never FILE_MODE_AUTO */
    uint32_t align_bytes;     /* of direct ranges and memory; power of two */
    uint32_t sector_bytes;    /* logical sector of a device, 512 for a file */
    uint64_t size_bytes;      /* of the file or device, when opened */
    uint64_t allocated_bytes; /* st_blocks * 512 when opened; file only */
    bool is_block_device;
    enum file_cached cached;
    uint64_t window_bytes; /* of page cache; 0: FILE_WINDOW_BYTES */

    /* Met while running, by any thread; once set, they stay. */
    atomic_bool direct_refused;    /* O_DIRECT gave EINVAL */
    atomic_bool dontcache_refused; /* RWF_DONTCACHE gave EOPNOTSUPP */
};

#define FILE_CLOSED                \
    {                              \
        .fd = -1, .direct_fd = -1, \
    }

/*
 * Opens path with open(2) flags (O_RDONLY, O_RDWR, O_EXCL, O_CREAT ... ;
 * O_CLOEXEC is added) and mode bits perm, and fills *file.
 *
 * wish: FILE_MODE_AUTO tries direct, dontcache, buffered in this order; any
 * other value is used, or fails with -EOPNOTSUPP.  O_DIRECT alignment comes
 * from statx(STATX_DIOALIGN) (Linux 6.1), BLKSSZGET, else 4096, and one
 * probing read decides.  Only AUTO looks into the page cache of a regular
 * file: a device's may be stale where another node writes it.  Neither a regular file nor a block device: -ENOTBLK.
 * Returns 0 or -errno with *file closed.
 */
int file_open(struct file *file, const char *path, int flags, unsigned perm,
              enum file_mode wish);

/* Tolerates a closed one.  Returns 0 or the first -errno of close(2). */
int file_close(struct file *file);

/* The descriptor for moving len bytes at offset from or to buf. */
int file_fd_for(const struct file *file, const void *buf, size_t len,
                uint64_t offset);

/*
 * Reads what can be read without waiting for a disk, at most len bytes; 0:
 * nothing.  Never brings anything into the page cache.
 */
size_t file_read_cached(const struct file *file, void *buf, size_t len,
                        uint64_t offset);

/* Is fd on a filesystem that lives in memory? */
bool file_is_memory(int fd);

/*
 * Does a running machine (QEMU, by its locks) have the disk behind fd open
 * for writing or, with may_read, at all?
 */
bool file_has_guest(int fd, bool may_read);

#define FILE_STAMP_BYTES 256U

/*
 * Writes what changes when the disk behind fd is written to, for a later run
 * to compare: which file, its size and times; or which device since which
 * boot, and how much was written to it (first flushes what is only in
 * memory).  False, and "": there is nothing that would tell (a pipe, a device
 * whose writes are not counted).
 */
bool file_stamp(int fd, char stamp[FILE_STAMP_BYTES]);

/* Flags for preadv2/pwritev2 and io_uring on file->fd: RWF_DONTCACHE or 0. */
int file_rw_flags(const struct file *file);

/* Re-reads the size of the file or device into file->size_bytes. */
int file_refresh_size(struct file *file);

/* fdatasync of everything written through either descriptor. */
int file_sync(const struct file *file);

/* fsync of the directory that holds path, so that its name is durable. */
int file_sync_directory(const char *path);

/* "direct", "dontcache", "buffered". */
const char *file_mode_name(enum file_mode mode);

/*
 * Keeps the page cache of a buffered file small: call with each range just
 * read or written.  Nothing to do unless mode is FILE_MODE_BUFFERED, or the
 * better mode was refused while running.
 *
 * Written ranges: at the end of each window start writing it back, wait for
 * the window before and drop that.  Read ranges: drop the window before.  One
 * struct file_window per lane and direction, zeroed at first.
 */
struct file_window {
    uint64_t begin; /* of the window being filled */
    uint64_t end;
    uint64_t previous_begin;
    uint64_t previous_end;
};

#define FILE_WINDOW_BYTES (UINT64_C(32) << 20)

/*
 * The window for a memory limit (LIMITS_NONE: none), page cache counted:
 * FILE_WINDOW_BYTES, or less, so that two windows of each of four lanes fit
 * in half of it.
 */
uint64_t file_window_bytes(uint64_t memory_bytes);

void file_window_read(struct file_window *window, const struct file *file,
                      uint64_t offset, uint64_t length);

/* Returns 0 or the -errno of the write-back, which is fatal for the file. */
int file_window_written(struct file_window *window, const struct file *file,
                        uint64_t offset, uint64_t length);

#endif
