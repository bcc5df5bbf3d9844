/* file_stamp.c - values of a file or device that change with each write. */
#include "io/file.h"

#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/device_stack.h"
#include "io/kernel_file.h"

/* Linux 5.15; older build hosts lack it in their headers. */
#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)
#endif

#define BACKING_BYTES 40U

/*
 * Fields of the kernel's Documentation/block/stat.rst: the seventh counts
 * sectors written, the fourteenth sectors discarded.
 */
static bool read_writes(dev_t device, unsigned long long *written,
                        unsigned long long *discarded)
{
    char line[512];

    return device_stack_attribute(device, "stat", line, sizeof(line)) &&
           sscanf(line,
                  "%*u %*u %*u %*u %*u %*u %llu %*u %*u %*u %*u %*u %*u %llu",
                  written, discarded) == 2;
}

/*
 * The file of a loop device may be written to by its own name: writes the time
 * of that to text.  Writes "" if it is not a loop device or its file is not
 * visible here.
 */
static void stamp_backing(dev_t device, char text[BACKING_BYTES])
{
    struct device_stack_loop loop;
    struct storage named;
    struct stat st;

    text[0] = '\0';
    if (!device_stack_loop(device, &loop) ||
        !device_stack_of_path(loop.path, &named) ||
        !device_stack_is_same(&named, &loop.file) || stat(loop.path, &st) < 0)
        return;
    snprintf(text, BACKING_BYTES, " %lld.%09ld", (long long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
}

static bool stamp_device(int fd, dev_t device, char stamp[FILE_STAMP_BYTES])
{
    unsigned long long written, discarded;
    uint64_t sequence = 0, bytes = 0;
    char boot[64], backing[BACKING_BYTES];

    if (fsync(fd) < 0 || /* flushes dirty pages */
        !kernel_file_line(boot, sizeof(boot),
                          "/proc/sys/kernel/random/boot_id") ||
        ioctl(fd, BLKGETDISKSEQ, &sequence) < 0 ||
        ioctl(fd, BLKGETSIZE64, &bytes) < 0 ||
        !read_writes(device, &written, &discarded))
        return false;
    stamp_backing(device, backing);
    snprintf(stamp, FILE_STAMP_BYTES,
             "device %u:%u %s %" PRIu64 " %" PRIu64 " %llu %llu%s",
             major(device), minor(device), boot, sequence, bytes, written,
             discarded, backing);
    return true;
}

/* The generation distinguishes files that reused an inode number; 0: the
 * filesystem has none. */
static void stamp_file(int fd, const struct stat *st,
                       char stamp[FILE_STAMP_BYTES])
{
    int generation[2] = { 0 }; /* FUSE writes a long, others an int */

    if (ioctl(fd, FS_IOC_GETVERSION, generation) < 0)
        generation[0] = 0;
    snprintf(stamp, FILE_STAMP_BYTES, "file %llu %u %lld %lld.%09ld %lld.%09ld",
             (unsigned long long)st->st_ino, (unsigned)generation[0],
             (long long)st->st_size, (long long)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
             st->st_ctim.tv_nsec);
}

bool file_stamp(int fd, char stamp[FILE_STAMP_BYTES])
{
    struct stat st;

    stamp[0] = '\0';
    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (S_ISBLK(st.st_mode))
        return stamp_device(fd, st.st_rdev, stamp);
    if (!S_ISREG(st.st_mode))
        return false;
    stamp_file(fd, &st, stamp);
    return true;
}
