#include "api/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "io/file.h"
#include "io/io_queue.h"
#include "io/kernel_file.h"
#include "io/limits.h"
#include "job/job.h"
#include "plan/chunk_grid.h"
#include "tls/tls.h"

struct report {
    struct cw_finding *findings;
    unsigned count, max;
};

/* Starts a finding, to be filled with found() and advise(). */
static struct cw_finding *begin(struct report *report, const char *name,
                                bool is_good)
{
    static struct cw_finding spill; /* for findings that do not fit */
    struct cw_finding *f = report->count < report->max
                               ? &report->findings[report->count++]
                               : &spill;

    *f = (struct cw_finding){ .name = name, .is_good = is_good };
    return f;
}

static void __attribute__((format(printf, 2, 3)))
found(struct cw_finding *f, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(f->found, sizeof(f->found), fmt, args);
    va_end(args);
}

static void advise(struct cw_finding *f, const char *text)
{
    snprintf(f->advice, sizeof(f->advice), "%s", text);
}

static void examine_uring(struct report *report)
{
    enum cw_io_engine chosen;
    char why[256] = "";
    struct error err;
    bool works = io_queue_choose(CW_IO_ENGINE_URING, &chosen, why, sizeof(why),
                                 &err) == 0;
    struct cw_finding *f = begin(report, "io_uring", works);

    found(f, "%s", works ? "works" : err.text);
    if (!works)
        advise(f, "helper threads do its work, a little slower; a seccomp "
                  "profile or kernel.io_uring_disabled may forbid it");
}

static void examine_memlock(struct report *report)
{
    uint64_t need = JOB_BUFFERS_PER_LANE * CHUNK_BYTES;
    struct cw_finding *f;
    struct rlimit limit;
    char text[32];

    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    f = begin(report, "locked memory",
              limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need);
    if (limit.rlim_cur == RLIM_INFINITY)
        found(f, "no limit");
    else
        found(f, "%s", format_bytes(text, sizeof(text), limit.rlim_cur));
    if (!f->is_good)
        advise(f, "io_uring cannot register its buffers, which costs a few "
                  "percent: ulimit -l 8192 for each lane");
}

/* buffer_pool asks for them.  The brackets mark the mode that is set. */
static void examine_huge_pages(struct report *report)
{
    struct cw_finding *f;
    char modes[64];

    if (!kernel_file_line(modes, sizeof(modes),
                          "/sys/kernel/mm/transparent_hugepage/enabled"))
        snprintf(modes, sizeof(modes), "[never]: not in this kernel");
    f = begin(report, "huge pages", !strstr(modes, "[never]"));
    found(f, "%s", modes);
    if (!f->is_good)
        advise(f, "direct I/O is cut into more requests: echo madvise "
                  ">/sys/kernel/mm/transparent_hugepage/enabled");
}

/* A partition has its disk's queue. */
static bool queue_number(dev_t device, const char *name, uint64_t *number)
{
    return kernel_file_number(number, "/sys/dev/block/%u:%u/queue/%s",
                              major(device), minor(device), name) ||
           kernel_file_number(number, "/sys/dev/block/%u:%u/../queue/%s",
                              major(device), minor(device), name);
}

static void examine_queue(struct report *report, dev_t device)
{
    uint64_t segments, kib, boundary = 0;
    struct cw_finding *f;

    if (!queue_number(device, "max_segments", &segments) ||
        !queue_number(device, "max_sectors_kb", &kib))
        return; /* not a block device's filesystem, or hidden by a container */
    queue_number(device, "virt_boundary_mask", &boundary);
    f = begin(report, "device queue", kib >= CHUNK_BYTES / 1024);
    found(f, "requests up to %" PRIu64 " KiB in %" PRIu64 " segments%s", kib,
          segments, boundary ? " of whole pages" : "");
    if (!f->is_good)
        advise(f, "a chunk of 1 MiB takes more than one: raise "
                  "queue/max_sectors_kb up to max_hw_sectors_kb");
}

static void examine_limits(struct report *report)
{
    uint64_t memory_bytes = limits_memory_bytes();
    struct cw_finding *f = begin(report, "CPUs", true);
    char text[32];

    found(f, "%u usable", limits_cpus());
    f = begin(report, "memory limit",
              memory_bytes == LIMITS_NONE || memory_bytes >= 64 * CHUNK_BYTES);
    if (memory_bytes == LIMITS_NONE)
        found(f, "none");
    else
        found(f, "%s", format_bytes(text, sizeof(text), memory_bytes));
    if (!f->is_good)
        advise(f, "64 MiB are enough for every disk");
}

static void examine_tls(struct report *report)
{
    struct cw_finding *f = begin(report, "TLS library", true);
    bool has_fips;

    tls_library(f->found, sizeof(f->found), &has_fips);
    f = begin(report, "FIPS provider", has_fips);
    found(f, "%s", has_fips ? "active" : "not active");
    if (!has_fips)
        advise(f, "needed only where FIPS 140 is demanded: the configuration "
                  "of the TLS library turns it on");

    f = begin(report, "kTLS", true);
    found(f,
          "kernel module %s; not used: TLS in the process is faster here, "
          "and stays within the FIPS provider",
          access("/sys/module/tls", F_OK) == 0 ? "loaded" : "not loaded");
}

/* Opens an unnamed file in directory, for tests. */
static int open_in_directory(struct file *file, const char *directory,
                             enum cw_io_mode mode)
{
    AUTO_FD int fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    char path[32];

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)CHUNK_BYTES) < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return file_open(file, path, O_RDWR, 0, mode);
}

static int try_mode(const char *path, bool is_directory, enum cw_io_mode mode)
{
    struct file file = FILE_CLOSED;
    int r = is_directory ? open_in_directory(&file, path, mode)
                         : file_open(&file, path, O_RDONLY, 0, mode);

    file_close(&file);
    return r;
}

static void examine_mode(struct report *report, const char *path,
                         bool is_directory, enum cw_io_mode mode,
                         const char *name, const char *advice)
{
    int r = try_mode(path, is_directory, mode);
    struct cw_finding *f = begin(report, name, r == 0);

    found(f, "%s on %s", r == 0 ? "works" : strerrordesc_np(-r), path);
    if (r < 0)
        advise(f, advice);
}

static void examine_path(struct report *report, const char *path)
{
    struct stat st;
    struct cw_finding *f;

    if (stat(path, &st) < 0) {
        f = begin(report, "path", false);
        found(f, "%s: %s", path, strerrordesc_np(errno));
        advise(f, strstr(path, "://")
                      ? "--doctor examines paths; --inspect asks an NBD server"
                      : "name the disk, or the directory it is to be in");
        return;
    }
    examine_mode(report, path, S_ISDIR(st.st_mode), CW_IO_MODE_DIRECT,
                 "direct I/O",
                 "the page cache is used instead: slower, and it counts "
                 "against a memory limit");
    examine_mode(report, path, S_ISDIR(st.st_mode), CW_IO_MODE_DONTCACHE,
                 "uncached I/O",
                 "needs Linux 6.14 and a filesystem that has it; only where "
                 "direct I/O does not work");
    examine_queue(report, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev);
}

unsigned preflight_examine(const char *path, struct cw_finding *findings,
                           unsigned max)
{
    struct report report = { .findings = findings, .max = max };

    if (path)
        examine_path(&report, path);
    examine_uring(&report);
    examine_memlock(&report);
    examine_huge_pages(&report);
    examine_limits(&report);
    examine_tls(&report);
    return report.count;
}
