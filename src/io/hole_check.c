#include "io/hole_check.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/kernel_file.h"
#include "io/mount_table.h"

/* Extents requested per FIEMAP call: 7 KiB on the stack. */
#define FIEMAP_EXTENTS 128U

/* A filesystem may allocate this share more than the data: extent tree and
 * attribute blocks (measured: ext4, XFS and btrfs stay below 0.5 %). */
#define SLACK_SHARE 50U
#define SLACK_BYTES (UINT64_C(16) << 10)

/* ---- filesystems with a known bug ---- */

struct zfs_version {
    unsigned major, minor, patch;
};

/* Up to 2.1.13, and in 2.2.0 and 2.2.1, dirty data may be reported as a
 * hole. */
static bool is_bad_zfs(const char *version)
{
    struct zfs_version v;

    // NOLINTNEXTLINE(cert-err34-c): three small numbers, or none
    if (!version ||
        sscanf(version, "%3u.%3u.%5u", &v.major, &v.minor, &v.patch) != 3)
        return true;
    if (v.major != 2)
        return v.major < 2;
    return v.minor < 1 || (v.minor == 1 && v.patch < 14) ||
           (v.minor == 2 && v.patch < 2);
}

/* A client does not know the server's version. */
static bool is_any(const char *version)
{
    (void)version;
    return true;
}

static const struct {
    const char *type;
    const char *bug;
    bool (*has_bug)(const char *version);
} bugs[] = {
    { "zfs", "OpenZFS issue 15526", is_bad_zfs },
    { "fuse.zfs", "OpenZFS issue 15526", is_any },
    { "fuse.glusterfs", "GlusterFS issue 1228", is_any },
};

const char *hole_check_known_bug(const char *type, const char *version)
{
    for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
        if (strcmp(type, bugs[i].type) == 0 && bugs[i].has_bug(version))
            return bugs[i].bug;
    return NULL;
}

/* Reads the type of the filesystem with this device number; "": unknown. */
static void read_type(dev_t device, char type[32])
{
    AUTO_FREE char *text = kernel_file_text("/proc/self/mountinfo");
    const char *at = text;
    struct mount_table_entry mount;

    type[0] = '\0';
    while (at && mount_table_next(&at, &mount))
        if (makedev(mount.major, mount.minor) == device) {
            snprintf(type, 32, "%s", mount.type);
            return;
        }
}

static const char *find_bug(dev_t device)
{
    char type[32], version[32];
    bool has_version;

    read_type(device, type);
    has_version = strcmp(type, "zfs") == 0 &&
                  kernel_file_line(version, sizeof(version),
                                   "/sys/module/zfs/version");
    return hole_check_known_bug(type, has_version ? version : NULL);
}

/* ---- how a range is mapped ---- */

struct mapped {
    uint64_t written_bytes;
    uint64_t unwritten_bytes; /* allocated, but read as zero */
};

/* Adds the part of the extent that lies in [begin, end). */
static void add_extent(struct mapped *mapped, const struct fiemap_extent *e,
                       uint64_t begin, uint64_t end)
{
    uint64_t from = e->fe_logical > begin ? e->fe_logical : begin;
    uint64_t to = e->fe_logical + e->fe_length;

    if (to > end)
        to = end;
    if (to <= from)
        return;
    if (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
        mapped->unwritten_bytes += to - from;
    else
        mapped->written_bytes += to - from;
}

/* Sums the blocks of [begin, end).  False: the filesystem cannot report
 * them. */
static bool add_mapped(int fd, uint64_t begin, uint64_t end,
                       struct mapped *mapped)
{
    _Alignas(struct fiemap) char
        request[sizeof(struct fiemap) +
                FIEMAP_EXTENTS * sizeof(struct fiemap_extent)];
    struct fiemap *map = (void *)request;
    const struct fiemap_extent *last;
    uint64_t at = begin;

    while (at < end) {
        memset(map, 0, sizeof(*map));
        map->fm_start = at;
        map->fm_length = end - at;
        map->fm_extent_count = FIEMAP_EXTENTS;
        if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
            return false;
        if (map->fm_mapped_extents == 0)
            break;
        for (unsigned i = 0; i < map->fm_mapped_extents; i++)
            add_extent(mapped, &map->fm_extents[i], at, end);
        last = &map->fm_extents[map->fm_mapped_extents - 1];
        if (last->fe_flags & FIEMAP_EXTENT_LAST ||
            last->fe_logical + last->fe_length <= at)
            break;
        at = last->fe_logical + last->fe_length;
    }
    return true;
}

/* ---- the walk ---- */

struct walk {
    int fd;
    uint64_t size_bytes;
    uint64_t data_bytes;  /* reported by SEEK_DATA */
    uint64_t hole_bytes;  /* the rest */
    bool has_fiemap;      /* no FIEMAP call has failed */
    struct mapped inside; /* mapped inside holes */
};

/* Counts the hole [at, end). */
static void add_hole(struct walk *walk, uint64_t at, uint64_t end)
{
    walk->hole_bytes += end - at;
    if (walk->has_fiemap)
        walk->has_fiemap = add_mapped(walk->fd, at, end, &walk->inside);
}

/* Walks over data and holes.  Returns false if the filesystem cannot
 * distinguish them; then no reader skips anything. */
static bool walk_map(struct walk *walk)
{
    uint64_t at = 0;

    while (at < walk->size_bytes) {
        off_t data = lseek(walk->fd, (off_t)at, SEEK_DATA), hole;

        if (data < 0 && errno != ENXIO)
            return false;
        if (data < 0 || (uint64_t)data > walk->size_bytes)
            data = (off_t)walk->size_bytes;
        if ((uint64_t)data > at)
            add_hole(walk, at, (uint64_t)data);
        if ((uint64_t)data == walk->size_bytes)
            break;
        hole = lseek(walk->fd, data, SEEK_HOLE);
        if (hole <= data)
            return false;
        at = (uint64_t)hole < walk->size_bytes ? (uint64_t)hole
                                               : walk->size_bytes;
        walk->data_bytes += at - (uint64_t)data;
    }
    return true;
}

/* Bytes that are allocated, but neither data nor otherwise explained. */
static uint64_t unexplained_bytes(const struct walk *walk,
                                  uint64_t allocated_bytes)
{
    struct mapped past_end = { 0 };
    uint64_t explained = walk->data_bytes;

    if (walk->has_fiemap) {
        explained += walk->inside.unwritten_bytes;
        if (explained < allocated_bytes &&
            add_mapped(walk->fd, walk->size_bytes, INT64_MAX, &past_end))
            explained += past_end.written_bytes + past_end.unwritten_bytes;
    }
    return allocated_bytes > explained ? allocated_bytes - explained : 0;
}

bool hole_check(int fd, uint64_t size_bytes, char *reason)
{
    struct walk walk = { .fd = fd,
                         .size_bytes = size_bytes,
                         .has_fiemap = true };
    uint64_t allocated_bytes;
    struct stat st;
    const char *bug;

    if (fstat(fd, &st) < 0 || !walk_map(&walk) || walk.hole_bytes == 0)
        return true;
    bug = find_bug(st.st_dev);
    if (bug) {
        snprintf(reason, HOLE_CHECK_REASON_BYTES,
                 "its filesystem may call data a hole (%s)", bug);
        return false;
    }
    if (walk.inside.written_bytes > 0) {
        snprintf(reason, HOLE_CHECK_REASON_BYTES,
                 "the filesystem maps %" PRIu64
                 " bytes of data where SEEK_DATA finds a hole",
                 walk.inside.written_bytes);
        return false;
    }
    allocated_bytes = (uint64_t)st.st_blocks * 512;
    if (unexplained_bytes(&walk, allocated_bytes) <=
        allocated_bytes / SLACK_SHARE + SLACK_BYTES)
        return true;
    snprintf(reason, HOLE_CHECK_REASON_BYTES,
             "%" PRIu64 " bytes are allocated, and SEEK_DATA finds data in "
             "%" PRIu64,
             allocated_bytes, walk.data_bytes);
    return false;
}

bool hole_check_may_skip(enum cw_holes policy, int fd, uint64_t size_bytes,
                         const char *path)
{
    char reason[HOLE_CHECK_REASON_BYTES];

    if (policy == CW_HOLES_TRUST)
        return true;
    if (policy == CW_HOLES_SCAN)
        return false;
    if (hole_check(fd, size_bytes, reason))
        return true;
    log_warn("%s: reading its holes, too: %s; --holes=trust skips them", path,
             reason);
    return false;
}
