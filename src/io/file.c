#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/limits.h"

/* Linux 6.14; older build hosts lack it in their headers. */
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

/* Used where the kernel does not report one: fits every common filesystem. */
#define USUAL_ALIGN_BYTES 4096U
/* A larger alignment than that of our buffers makes direct I/O pointless. */
#define MAX_ALIGN_BYTES (1U << 20)

static bool may_hold_a_disk(const struct stat *st)
{
    return S_ISREG(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Runs before open(2): opening a FIFO blocks, opening a tape rewinds it. */
static int check_kind(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return 0; /* open(2) reports the reason, or creates the file */
    return may_hold_a_disk(&st) ? 0 : -ENOTBLK;
}

static int gather_facts(struct file *file)
{
    struct stat st;
    int sector_bytes = 512;

    if (fstat(file->fd, &st) < 0)
        return -errno;
    if (!may_hold_a_disk(&st))
        return -ENOTBLK;

    file->is_block_device = S_ISBLK(st.st_mode);
    if (!file->is_block_device)
        file->allocated_bytes = (uint64_t)st.st_blocks * 512;
    else if (ioctl(file->fd, BLKSSZGET, &sector_bytes) < 0)
        return -errno;
    file->sector_bytes = (uint32_t)sector_bytes;
    return file_refresh_size(file);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/*
 * Stores the alignment of direct I/O in *align_bytes.  Returns false if the
 * kernel says that direct I/O does not work on this file, or if the alignment
 * is unusable.
 */
static bool find_alignment(const struct file *file, uint32_t *align_bytes)
{
    uint32_t page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    uint32_t dio_bytes = USUAL_ALIGN_BYTES;
    struct statx sx;

    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 &&
        (sx.stx_mask & STATX_DIOALIGN) != 0) {
        if (sx.stx_dio_offset_align == 0)
            return false;
        dio_bytes = larger(sx.stx_dio_offset_align, sx.stx_dio_mem_align);
    } else if (file->is_block_device) {
        dio_bytes = file->sector_bytes;
    }

    *align_bytes = larger(page_bytes, dio_bytes);
    return *align_bytes <= MAX_ALIGN_BYTES &&
           (*align_bytes & (*align_bytes - 1)) == 0;
}

/*
 * Reads the first bytes, which changes nothing.  Ignores errors other than
 * "unsupported": the transfer reports them when it meets them.
 */
static bool can_read(int fd, uint32_t align_bytes, int rw_flags)
{
    AUTO_FREE void *buf = aligned_alloc(align_bytes, align_bytes);
    struct iovec iov = { .iov_base = buf, .iov_len = align_bytes };

    return buf && (preadv2(fd, &iov, 1, 0, rw_flags) >= 0 ||
                   (errno != EINVAL && errno != EOPNOTSUPP));
}

static bool is_same_file(int a, int b)
{
    struct stat st_a, st_b;

    return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 &&
           st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

/*
 * Opens the second descriptor.  O_EXCL is only for the first one: it claims a
 * block device, and the kernel would refuse a second claim, even ours.
 */
static bool open_direct(struct file *file, const char *path, int flags)
{
    int again = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    AUTO_FD int fd = open(path, again | O_DIRECT | O_CLOEXEC);

    if (fd < 0 || !is_same_file(fd, file->fd) ||
        !can_read(fd, file->align_bytes, 0))
        return false;
    file->direct_fd = take_fd(&fd);
    return true;
}

static int choose_mode(struct file *file, const char *path, int flags,
                       enum cw_io_mode wish)
{
    bool any = wish == CW_IO_MODE_AUTO;
    bool aligned = find_alignment(file, &file->align_bytes);

    if (!aligned)
        file->align_bytes = (uint32_t)sysconf(_SC_PAGESIZE);

    if ((any || wish == CW_IO_MODE_DIRECT) && aligned &&
        open_direct(file, path, flags)) {
        file->mode = CW_IO_MODE_DIRECT;
        return 0;
    }
    if ((any || wish == CW_IO_MODE_DONTCACHE) &&
        can_read(file->fd, file->align_bytes, RWF_DONTCACHE)) {
        file->mode = CW_IO_MODE_DONTCACHE;
        return 0;
    }
    if (any || wish == CW_IO_MODE_BUFFERED) {
        /* Advice only: doubles the read-ahead where the kernel follows it. */
        posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        file->mode = CW_IO_MODE_BUFFERED;
        return 0;
    }
    return -EOPNOTSUPP;
}

int file_open(struct file *file, const char *path, int flags, unsigned perm,
              enum cw_io_mode wish)
{
    int r;

    *file = (struct file)FILE_CLOSED;
    r = (flags & O_TMPFILE) == O_TMPFILE ? 0 : check_kind(path);
    if (r < 0)
        return r;
    file->fd = open(path, flags | O_CLOEXEC, perm);
    if (file->fd < 0)
        return -errno;

    r = gather_facts(file);
    if (r == 0)
        r = choose_mode(file, path, flags, wish);
    if (r == 0 && wish == CW_IO_MODE_AUTO && !file->is_block_device)
        file->cached = file_is_memory(file->fd) ? FILE_CACHED_ALWAYS
                                                : FILE_CACHED_LOOK;
    if (r < 0)
        file_close(file);
    file->window_bytes = file_window_bytes(limits_memory_bytes());
    return r;
}

static int close_one(int *fd)
{
    /* After EINTR Linux has closed the descriptor all the same. */
    return *fd >= 0 && close(take_fd(fd)) < 0 && errno != EINTR ? -errno : 0;
}

int file_close(struct file *file)
{
    int direct = close_one(&file->direct_fd);
    int cached = close_one(&file->fd);

    return direct < 0 ? direct : cached;
}

int file_fd_for(const struct file *file, const void *buf, size_t len,
                uint64_t offset)
{
    uint64_t bits = (uintptr_t)buf | len | offset;

    if (file->direct_fd < 0 || (bits & (file->align_bytes - 1)) != 0 ||
        atomic_load_explicit(&file->direct_refused, memory_order_relaxed))
        return file->fd;
    return file->direct_fd;
}

int file_rw_flags(const struct file *file)
{
    if (file->mode != CW_IO_MODE_DONTCACHE ||
        atomic_load_explicit(&file->dontcache_refused, memory_order_relaxed))
        return 0;
    return RWF_DONTCACHE;
}

int file_refresh_size(struct file *file)
{
    struct stat st;
    uint64_t device_bytes;

    if (file->is_block_device) {
        if (ioctl(file->fd, BLKGETSIZE64, &device_bytes) < 0)
            return -errno;
        file->size_bytes = device_bytes;
        return 0;
    }
    if (fstat(file->fd, &st) < 0)
        return -errno;
    file->size_bytes = (uint64_t)st.st_size;
    return 0;
}

int file_sync(const struct file *file)
{
    /* Both descriptors share one inode, so one call covers both.  EINTR (a
     * network filesystem) means that the sync is incomplete. */
    while (fdatasync(file->fd) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int file_sync_directory(const char *path)
{
    AUTO_FREE char *dir = strdup(path);
    AUTO_FD int fd = -1;
    char *slash;

    if (!dir)
        return -ENOMEM;
    slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir ? 1 : 0] = '\0';

    fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    /* EINVAL: the filesystem does not support syncing a directory. */
    return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

const char *file_mode_name(enum cw_io_mode mode)
{
    switch (mode) {
    case CW_IO_MODE_AUTO: return "auto";
    case CW_IO_MODE_DIRECT: return "direct";
    case CW_IO_MODE_DONTCACHE: return "dontcache";
    case CW_IO_MODE_BUFFERED: return "buffered";
    }
    abort();
}
