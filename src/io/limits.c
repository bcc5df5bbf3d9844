#include "io/limits.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/kernel_file.h"

/* cgroup v1 reports no limit as a value a little below 2^63. */
#define V1_UNLIMITED (UINT64_C(1) << 62)

/* Where hierarchies are mounted, and which line of /proc/self/cgroup has our
 * path in them.  "" is v2's. */
static const struct {
    const char *controller;
    const char *mount;
} hierarchies[] = {
    { "", "/sys/fs/cgroup" },
    { "", "/sys/fs/cgroup/unified" },
    { "memory", "/sys/fs/cgroup/memory" },
    { "cpu", "/sys/fs/cgroup/cpu" },
};

static void lower(uint64_t *limit, uint64_t value)
{
    if (value < *limit)
        *limit = value;
}

/* "max", -1 and anything that is not a number mean no limit. */
static void read_memory(const char *dir, struct limits *limits)
{
    static const char *const files[] = { "memory.max", "memory.high",
                                         "memory.limit_in_bytes" };
    uint64_t bytes;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (kernel_file_number(&bytes, "%s/%s", dir, files[i]) &&
            bytes < V1_UNLIMITED)
            lower(&limits->memory_bytes, bytes);
}

static void read_cpu(const char *dir, struct limits *limits)
{
    uint64_t quota_us = 0, period_us = 0;
    char line[64];

    if (kernel_file_line(line, sizeof(line), "%s/cpu.max", dir)) {
        if (sscanf(line, "%" SCNu64 " %" SCNu64, &quota_us, &period_us) != 2)
            return;
    } else if (!kernel_file_number(&quota_us, "%s/cpu.cfs_quota_us", dir) ||
               !kernel_file_number(&period_us, "%s/cpu.cfs_period_us", dir)) {
        return;
    }
    if (period_us > 0 && quota_us <= UINT64_MAX / 1000)
        lower(&limits->cpu_millis, quota_us * 1000 / period_us);
}

/*
 * Reads our cgroup and all its parents up to the mount.  In a container, path
 * may be the host's and not exist, while the mount itself is our cgroup.
 */
static void read_upwards(const char *mount, const char *path,
                         struct limits *limits)
{
    char dir[PATH_MAX];
    size_t min = strlen(mount);

    if (snprintf(dir, sizeof(dir), "%s%s", mount, path) >= (int)sizeof(dir))
        snprintf(dir, sizeof(dir), "%s", mount);
    for (;;) {
        char *last = strrchr(dir, '/');

        read_memory(dir, limits);
        read_cpu(dir, limits);
        if (strlen(dir) <= min || !last)
            return;
        *last = '\0';
    }
}

/* Is word in the comma-separated list?  "" is only in the empty list. */
static bool lists(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (;;) {
        size_t item = strcspn(list, ",");

        if (item == len && strncmp(list, word, len) == 0)
            return true;
        if (list[item] == '\0')
            return false;
        list += item + 1;
    }
}

/* Parses a line "4:memory:/kubepods/pod7", which it modifies. */
static void take_line(const char *root, char *line, struct limits *limits)
{
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    char mount[PATH_MAX];

    if (!path)
        return;
    *controllers++ = '\0';
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
        if (!lists(controllers, hierarchies[i].controller))
            continue;
        if (snprintf(mount, sizeof(mount), "%s%s", root, hierarchies[i].mount) <
            (int)sizeof(mount))
            read_upwards(mount, path, limits);
    }
}

void limits_read(const char *root, struct limits *limits)
{
    char line[PATH_MAX];
    FILE *f;

    *limits = (struct limits){ LIMITS_NONE, LIMITS_NONE };
    if (snprintf(line, sizeof(line), "%s/proc/self/cgroup", root) >=
        (int)sizeof(line))
        return;
    f = fopen(line, "re");
    if (!f)
        return;
    while (fgets(line, sizeof(line), f))
        take_line(root, line, limits);
    fclose(f);
}

static unsigned affinity_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

static struct limits own;

static void read_own(void)
{
    limits_read("", &own);
}

/* Read once: the values are in dozens of files, and each file that is opened
 * needs them. */
static const struct limits *own_limits(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_own);
    return &own;
}

unsigned limits_cpus(void)
{
    unsigned cpus = affinity_cpus();
    uint64_t millis = own_limits()->cpu_millis;
    uint64_t share;

    if (millis == LIMITS_NONE)
        return cpus;
    share = millis <= 1000 ? 1 : (millis + 999) / 1000;
    return share < cpus ? (unsigned)share : cpus;
}

uint64_t limits_memory_bytes(void)
{
    return own_limits()->memory_bytes;
}

#define BESIDE_DECODER_BYTES (UINT64_C(32) << 20)

uint64_t limits_decoder_bytes(uint64_t max_bytes)
{
    uint64_t limit = limits_memory_bytes();

    if (limit <= BESIDE_DECODER_BYTES)
        return 0;
    return limit - BESIDE_DECODER_BYTES < max_bytes
               ? limit - BESIDE_DECODER_BYTES
               : max_bytes;
}
