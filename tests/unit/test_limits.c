#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/limits.h"
#include "unit.h"

#define FILES_MAX 8
#define GIB       (UINT64_C(1) << 30)
#define MIB       (UINT64_C(1) << 20)

struct fake_file {
    const char *path;
    const char *text;
};

/* A root directory with these files; they and it are removed by unmake(). */
static void make(const char *root, const struct fake_file *files)
{
    for (; files->path; files++) {
        char path[PATH_MAX];
        FILE *f;

        snprintf(path, sizeof(path), "%s%s", root, files->path);
        for (char *c = path + strlen(root) + 1; (c = strchr(c, '/')); c++) {
            *c = '\0';
            mkdir(path, 0700);
            *c = '/';
        }
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(files->text, f);
        fclose(f);
    }
}

static void unmake(const char *root, const struct fake_file *files)
{
    for (; files->path; files++) {
        char path[PATH_MAX];
        char *last;

        snprintf(path, sizeof(path), "%s%s", root, files->path);
        assert_int_equal(unlink(path), 0);
        while ((last = strrchr(path, '/')) && last > path + strlen(root)) {
            *last = '\0';
            if (rmdir(path) < 0)
                break;
        }
    }
    assert_int_equal(rmdir(root), 0);
}

static void test_read(void **state)
{
    static const struct {
        const char *name;
        struct fake_file files[FILES_MAX];
        uint64_t memory_bytes, cpu_millis;
    } cases[] = {
        { "nothing at all", { { NULL, NULL } }, LIMITS_NONE, LIMITS_NONE },
        { "v2 in a pod",
          { { "/proc/self/cgroup", "0::/\n" },
            { "/sys/fs/cgroup/memory.max", "629145600\n" },
            { "/sys/fs/cgroup/memory.high", "max\n" },
            { "/sys/fs/cgroup/cpu.max", "75000 100000\n" } },
          600 * MIB,
          750 },
        { "v2 without limits",
          { { "/proc/self/cgroup", "0::/user\n" },
            { "/sys/fs/cgroup/user/memory.max", "max\n" },
            { "/sys/fs/cgroup/user/cpu.max", "max 100000\n" } },
          LIMITS_NONE,
          LIMITS_NONE },
        { "v2: the tightest above us, and memory.high",
          { { "/proc/self/cgroup", "0::/a/b\n" },
            { "/sys/fs/cgroup/a/b/memory.max", "2147483648\n" },
            { "/sys/fs/cgroup/a/b/cpu.max", "200000 100000\n" },
            { "/sys/fs/cgroup/a/memory.high", "1073741824\n" },
            { "/sys/fs/cgroup/a/cpu.max", "50000 100000\n" } },
          GIB,
          500 },
        { "v1 in a pod: the path is the host's",
          { { "/proc/self/cgroup", "4:cpu,cpuacct:/kubepods/pod7\n"
                                   "2:memory:/kubepods/pod7\n0::/x\n" },
            { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n" } },
          64 * MIB,
          1500 },
        { "v1 without limits",
          { { "/proc/self/cgroup", "4:cpu:/\n2:memory:/\n" },
            { "/sys/fs/cgroup/memory/memory.limit_in_bytes",
              "9223372036854771712\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n" } },
          LIMITS_NONE,
          LIMITS_NONE },
        { "hybrid: a v1 memory group under a host",
          { { "/proc/self/cgroup", "4:memory:/lab/job\n1:cpu:/\n0::/\n" },
            { "/sys/fs/cgroup/memory/lab/job/memory.limit_in_bytes",
              "67108864\n" },
            { "/sys/fs/cgroup/memory/memory.limit_in_bytes",
              "9223372036854771712\n" } },
          64 * MIB,
          LIMITS_NONE },
        { "no cgroup of ours by half a name",
          { { "/proc/self/cgroup", "4:mem:/\n1:cpuacct:/\ngarbage\n" },
            { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "1000\n" },
            { "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n" } },
          LIMITS_NONE,
          LIMITS_NONE },
        { "nonsense is no limit",
          { { "/proc/self/cgroup", "0::/\n" },
            { "/sys/fs/cgroup/memory.max", "lots\n" },
            { "/sys/fs/cgroup/cpu.max", "100000 0\n" } },
          LIMITS_NONE,
          LIMITS_NONE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char root[] = "/tmp/clonewire-limits-XXXXXX";
        struct limits limits;

        CASE(cases[i].name);
        assert_non_null(mkdtemp(root));
        make(root, cases[i].files);
        limits_read(root, &limits);
        unmake(root, cases[i].files);
        assert_int_equal(limits.memory_bytes, cases[i].memory_bytes);
        assert_int_equal(limits.cpu_millis, cases[i].cpu_millis);
    }
}

static void test_this_machine(void **state)
{
    (void)state;
    assert_in_range(limits_cpus(), 1, (uintmax_t)sysconf(_SC_NPROCESSORS_CONF));
    assert_true(limits_memory_bytes() > MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
