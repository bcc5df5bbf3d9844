#include "sink/blkid_probe.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iszero.h"

#define SAMPLE_COUNT 64U
#define SAMPLE_BYTES (UINT64_C(64) << 10)
/* libblkid counts in these sectors, whatever sector size the device has. */
#define PARTITION_SECTOR_BYTES 512U

static void auto_probe(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

/* The value of a name, or NULL. */
static const char *value_of(blkid_probe probe, const char *name)
{
    const char *value;

    return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value
                                                                    : NULL;
}

/* A label is untrusted text: removes what a terminal must not print. */
static void add_label(const char *label, char *buf, size_t len)
{
    size_t used = strlen(buf);

    if (!label || label[0] == '\0' || used + 8 > len)
        return;
    used += (size_t)snprintf(buf + used, len - used, " \"");
    for (; *label != '\0' && used + 2 < len; label++)
        buf[used++] = *label >= ' ' && *label <= '~' ? *label : '?';
    snprintf(buf + used, len - used, "\"");
}

static void describe_table(blkid_probe probe, const char *type, char *buf,
                           size_t len)
{
    blkid_partlist list;
    size_t used;
    int count;

    /* Reading the partition list invalidates the values: use type first. */
    used = (size_t)snprintf(buf, len, "a %s partition table", type);
    list = blkid_probe_get_partitions(probe);
    count = list ? blkid_partlist_numof_partitions(list) : 0;
    snprintf(buf + used, len - used, " with %d partition%s", count,
             count == 1 ? "" : "s");
}

static void describe_superblock(blkid_probe probe, const char *type, char *buf,
                                size_t len)
{
    const char *usage = value_of(probe, "USAGE");
    bool is_filesystem = usage && strcmp(usage, "filesystem") == 0;

    snprintf(buf, len, "%s%s", type, is_filesystem ? " filesystem" : "");
    add_label(value_of(probe, "LABEL"), buf, len);
}

/* False: libblkid finds no signature. */
static bool find_signature(int fd, char *buf, size_t len)
{
    AUTO(auto_probe) blkid_probe probe = blkid_new_probe();
    const char *type;
    int r;

    if (!probe || blkid_probe_set_device(probe, fd, 0, 0) != 0)
        return false;
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(
        probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL);
    blkid_probe_enable_partitions(probe, 1);
    r = blkid_do_safeprobe(probe);
    if (r == -2) { /* libblkid's code for an ambivalent result */
        snprintf(buf, len, "signatures of several filesystems");
        return true;
    }
    if (r != 0)
        return false;
    type = value_of(probe, "PTTYPE");
    if (type) {
        describe_table(probe, type, buf, len);
        return true;
    }
    type = value_of(probe, "TYPE");
    if (type)
        describe_superblock(probe, type, buf, len);
    return type != NULL;
}

static bool reads_zero(int fd, uint8_t *buf, uint64_t offset, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, buf + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return iszero(buf, len);
}

bool blkid_probe_reads_zero(int fd, uint64_t begin, uint64_t end)
{
    AUTO_FREE uint8_t *buf = aligned_alloc(4096, SAMPLE_BYTES);
    uint64_t last, step;

    if (!buf)
        return false;
    if (end - begin <= SAMPLE_BYTES)
        return end == begin ||
               reads_zero(fd, buf, begin, (size_t)(end - begin));
    last = end - SAMPLE_BYTES;
    step = (last - begin) / (SAMPLE_COUNT - 1) & ~(SAMPLE_BYTES - 1);
    if (step == 0)
        step = SAMPLE_BYTES;
    for (uint64_t at = begin; at < last; at += step)
        if (!reads_zero(fd, buf, at, SAMPLE_BYTES))
            return false;
    return reads_zero(fd, buf, last, SAMPLE_BYTES);
}

size_t blkid_probe_starts(int fd, uint64_t *starts, size_t max)
{
    AUTO(auto_probe) blkid_probe probe = blkid_new_probe();
    blkid_partlist list;
    size_t found = 0;
    int count;

    if (!probe || blkid_probe_set_device(probe, fd, 0, 0) != 0)
        return 0;
    blkid_probe_enable_partitions(probe, 1);
    list = blkid_probe_get_partitions(probe);
    count = list ? blkid_partlist_numof_partitions(list) : 0;
    for (int i = 0; i < count && found < max; i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);

        starts[found++] = (uint64_t)blkid_partition_get_start(part) *
                          PARTITION_SECTOR_BYTES;
    }
    return found;
}

bool blkid_probe_describe(int fd, uint64_t size_bytes, char *buf, size_t len)
{
    bool is_blank;

    if (find_signature(fd, buf, len))
        return false;
    is_blank = blkid_probe_reads_zero(fd, 0, size_bytes);
    snprintf(buf, len, "%s", is_blank ? "nothing" : "data of an unknown kind");
    return is_blank;
}
