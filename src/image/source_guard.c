#include "image/source_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/file.h"

#define BACKING_BYTES 40U
#define ALLOW         "--allow-in-use reads it all the same"

static int refuse_locked(const struct source_guard *guard, struct error *err)
{
    if (!file_has_guest(guard->fd, false))
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s is in use: a running machine (QEMU) writes it; " ALLOW,
                     guard->path);
}

/* The first line of a file; false: there is none. */
static bool read_line(const char *path, char *line, size_t len)
{
    FILE *stream = fopen(path, "re");
    bool any = stream && fgets(line, (int)len, stream);

    if (stream)
        fclose(stream);
    if (any)
        line[strcspn(line, "\n")] = '\0';
    return any;
}

/*
 * What the kernel's Documentation/block/stat.rst counts: the seventh number
 * is sectors written, the fourteenth sectors discarded.
 */
static bool read_writes(const char *directory, unsigned long long *written,
                        unsigned long long *discarded)
{
    char path[128], line[512];

    snprintf(path, sizeof(path), "%s/stat", directory);
    return read_line(path, line, sizeof(line)) &&
           sscanf(line,
                  "%*u %*u %*u %*u %*u %*u %llu %*u %*u %*u %*u %*u %*u %llu",
                  written, discarded) == 2;
}

/*
 * The file beneath a loop device may be written to behind its back: the time
 * of that, to text.  "": it is no such device, or its file is not to be seen
 * from here.
 */
static void identify_backing(const struct source_guard *guard, const char *disk,
                             char text[BACKING_BYTES])
{
    char path[128], backing[PATH_MAX];
    struct loop_info64 info;
    struct stat st;

    text[0] = '\0';
    snprintf(path, sizeof(path), "%s/loop/backing_file", disk);
    if (!read_line(path, backing, sizeof(backing)) ||
        ioctl(guard->fd, LOOP_GET_STATUS64, &info) < 0 ||
        stat(backing, &st) < 0 || st.st_ino != info.lo_inode)
        return;
    snprintf(text, BACKING_BYTES, " %lld.%09ld", (long long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
}

static bool identify_device(const struct source_guard *guard, dev_t device,
                            char identity[SOURCE_GUARD_IDENTITY_BYTES])
{
    unsigned long long written, discarded;
    char directory[64], disk[80], path[128], boot[64], sequence[32];
    char backing[BACKING_BYTES];

    snprintf(directory, sizeof(directory), "/sys/dev/block/%u:%u",
             major(device), minor(device));
    snprintf(path, sizeof(path), "%s/partition", directory);
    snprintf(disk, sizeof(disk), "%s%s", directory,
             access(path, F_OK) == 0 ? "/.." : "");
    snprintf(path, sizeof(path), "%s/diskseq", disk); /* which alone has it */
    if (fsync(guard->fd) < 0 || /* what is written but only in memory */
        !read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) ||
        !read_line(path, sequence, sizeof(sequence)) ||
        !read_writes(directory, &written, &discarded))
        return false;
    identify_backing(guard, disk, backing);
    snprintf(identity, SOURCE_GUARD_IDENTITY_BYTES,
             "device %u:%u %s %s %llu %llu%s", major(device), minor(device),
             boot, sequence, written, discarded, backing);
    return true;
}

bool source_guard_identify(const struct source_guard *guard,
                           char identity[SOURCE_GUARD_IDENTITY_BYTES])
{
    struct stat st;

    if (guard->fd < 0 || fstat(guard->fd, &st) < 0)
        return false;
    if (S_ISBLK(st.st_mode))
        return identify_device(guard, st.st_rdev, identity);
    if (!S_ISREG(st.st_mode))
        return false;
    snprintf(identity, SOURCE_GUARD_IDENTITY_BYTES,
             "file %llu %lld %lld.%09ld %lld.%09ld",
             (unsigned long long)st.st_ino, (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
             (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    return true;
}

/* A device that we can claim is not mounted by anybody. */
static int open_container(struct source_guard *guard, bool allow_in_use,
                          struct error *err)
{
    struct stat st;
    int claim = 0;

    if (stat(guard->path, &st) == 0 && S_ISBLK(st.st_mode) && !allow_in_use)
        claim = O_EXCL;
    guard->fd = open(guard->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | claim);
    if (guard->fd < 0 && errno == EBUSY)
        return error_set(
            err, ERROR_CHANGED, 0,
            "%s is in use: mounted, or held by another program; " ALLOW,
            guard->path);
    return 0;
}

int source_guard_open(struct source_guard *guard, const char *path,
                      bool allow_in_use, struct error *err)
{
    struct stat st;

    *guard = (struct source_guard){ .fd = -1, .path = path };
    if (strcmp(path, "-") == 0)
        return 0;
    if (open_container(guard, allow_in_use, err) < 0)
        return -1;
    if (guard->fd < 0 || fstat(guard->fd, &st) < 0)
        return 0;
    guard->is_file = S_ISREG(st.st_mode);
    guard->size_bytes = (uint64_t)st.st_size;
    guard->changed = st.st_mtim;
    if (S_ISBLK(st.st_mode) && !source_guard_identify(guard, guard->device))
        guard->device[0] = '\0';
    return allow_in_use ? 0 : refuse_locked(guard, err);
}

static int tell_changed(const struct source_guard *guard, struct error *err)
{
    return error_set(err, ERROR_CHANGED, 0,
                     "%s was written to while it was read: the copy is of no "
                     "single moment",
                     guard->path);
}

static int check_device(const struct source_guard *guard, struct error *err)
{
    char now[SOURCE_GUARD_IDENTITY_BYTES];

    if (guard->device[0] == '\0' || !source_guard_identify(guard, now) ||
        strcmp(now, guard->device) == 0)
        return 0;
    return tell_changed(guard, err);
}

int source_guard_check(const struct source_guard *guard, struct error *err)
{
    struct stat st;

    if (!guard->is_file)
        return check_device(guard, err);
    if (fstat(guard->fd, &st) < 0)
        return error_set(err, ERROR_SOURCE_IO, errno, "look at %s",
                         guard->path);
    if ((uint64_t)st.st_size == guard->size_bytes &&
        st.st_mtim.tv_sec == guard->changed.tv_sec &&
        st.st_mtim.tv_nsec == guard->changed.tv_nsec)
        return 0;
    return tell_changed(guard, err);
}

void source_guard_close(struct source_guard *guard)
{
    if (guard->fd >= 0)
        close(guard->fd);
    guard->fd = -1;
}
