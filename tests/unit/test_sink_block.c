#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "loopdev.h"
#include "sinktest.h"

#define DEVICE_BYTES (8 * MIB)
#define DIRT         0xA5

static struct loopdev loop;

static int setup(void **state)
{
    (void)state;
    ring_failure = 0;
    loop.fd = -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    loopdev_close(&loop);
    return 0;
}

static struct sink_options options_for(size_t size_bytes, unsigned sector_bytes,
                                       uint8_t fill)
{
    if (!loopdev_open(&loop, size_bytes, sector_bytes, fill, 0))
        skip();
    return (struct sink_options){ .path = loop.path, .overhead_ppm = 55000 };
}

static void assert_range(uint64_t from, uint64_t to, uint8_t want)
{
    assert_int_equal(fd_count_other(loop.fd, from, to - from, want), 0);
}

/* 'D', then zeros up to zero_end, then what was there before. */
static void assert_device(uint64_t data_bytes, uint64_t zero_end,
                          uint64_t device_bytes)
{
    assert_range(0, data_bytes, 'D');
    assert_range(data_bytes, zero_end, 0);
    assert_range(zero_end, device_bytes, DIRT);
}

static void test_dirty_devices(void **state)
{
    static const struct {
        const char *name;
        uint64_t device_bytes;
        uint64_t data_bytes, disk_bytes, zero_end;
        unsigned sector_bytes;
        bool keep_tail;
    } cases[] = {
        /* clang-format off */
        { "exact",             8 * MIB,        MIB,            8 * MIB,        8 * MIB,        512,  false },
        { "tail",              8 * MIB,        MIB,            3 * MIB,        8 * MIB,        512,  false },
        { "tail, all data",    8 * MIB,        3 * MIB,        3 * MIB,        8 * MIB,        512,  false },
        { "tail kept",         8 * MIB,        MIB,            3 * MIB,        3 * MIB,        512,  true },
        { "odd device",        8 * MIB + 512,  MIB,            8 * MIB + 512,  8 * MIB + 512,  512,  false },
        { "odd disk",          8 * MIB,        513,            3 * MIB + 1536, 8 * MIB,        512,  false },
        { "4096",              8 * MIB,        MIB,            8 * MIB,        8 * MIB,        4096, false },
        { "4096, odd disk",    8 * MIB,        MIB,            3 * MIB + 512,  8 * MIB,        4096, false },
        { "4096, odd, data",   8 * MIB,        3 * MIB + 512,  3 * MIB + 512,  8 * MIB,        4096, false },
        { "4096, odd, kept",   8 * MIB,        3 * MIB + 512,  3 * MIB + 512,  3 * MIB + 512,  4096, true },
        { "no disk at all",    8 * MIB,        0,              0,              8 * MIB,        512,  false },
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (int wish = CW_PREALLOCATE_OFF; wish <= CW_PREALLOCATE_AUTO;
             wish++) {
            struct sink_options options = options_for(
                cases[i].device_bytes, cases[i].sector_bytes, DIRT);
            struct sink_report report = { 0 };
            struct error err = { 0 };

            CASE(cases[i].name);
            options.preallocate = (enum cw_preallocate)wish;
            options.keep_tail = cases[i].keep_tail;
            assert_int_equal(sink_clone(&options, cases[i].data_bytes,
                                        cases[i].disk_bytes, &report, &err),
                             0);
            assert_device(cases[i].data_bytes, cases[i].zero_end,
                          cases[i].device_bytes);
            assert_string_equal(report.kind, "block");
            assert_int_equal(report.sector_bytes, cases[i].sector_bytes);
            assert_int_equal(report.disk_bytes, cases[i].disk_bytes);
            loopdev_close(&loop);
        }
}

static void test_preallocation(void **state)
{
    static const struct {
        enum cw_preallocate wish;
        const char *applied;
        const char *zero_method;
        uint64_t zero_min;
    } cases[] = {
        { CW_PREALLOCATE_OFF, "off", "punch-hole", 65536 },
        { CW_PREALLOCATE_FALLOC, "falloc", "zero-range", 65536 },
        { CW_PREALLOCATE_AUTO, "falloc", "zero-range", 65536 },
        { CW_PREALLOCATE_FULL, "full", "write", UINT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
        struct sink_report report = { 0 };
        struct sink *sink = NULL;
        struct error err = { 0 };

        CASE(cases[i].applied);
        options.preallocate = cases[i].wish;
        assert_int_equal(sink_open(&options, &sink, &err), 0);
        assert_int_equal(sink_prepare(sink, DEVICE_BYTES, &err), 0);
        assert_int_equal(sink_zero_min(sink), cases[i].zero_min);
        assert_int_equal(sink_fill(sink, 0, DEVICE_BYTES, &err), 0);
        assert_int_equal(sink_finish(sink, &err), 0);
        sink_get_report(sink, &report);
        assert_string_equal(report.preallocation, cases[i].applied);
        assert_string_equal(report.zero_method, cases[i].zero_method);
        assert_int_equal(sink_zeroed_bytes(sink), DEVICE_BYTES);
        sink_close(sink);
        assert_range(0, DEVICE_BYTES, 0);
        loopdev_close(&loop);
    }
}

static void test_larger_than_the_source(void **state)
{
    struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
    struct sink_report report = { 0 };
    struct error err = { 0 };

    (void)state;
    options.size_bytes = 4 * MIB;
    options.keep_tail = true;
    assert_int_equal(sink_clone(&options, MIB, 2 * MIB, &report, &err), 0);
    assert_device(MIB, 4 * MIB, DEVICE_BYTES);
    assert_int_equal(report.disk_bytes, 4 * MIB);
}

static void test_too_small(void **state)
{
    struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
    struct sizing_verdict verdict;
    struct error err = { 0 };

    (void)state;
    assert_error(sink_clone(&options, 0, DEVICE_BYTES + 512, NULL, &err), &err,
                 ERROR_NO_SPACE,
                 "disk of 8389120 bytes does not fit: device has 8388608: "
                 "short by 512; request a volume of at least 8389120 bytes");
    assert_error(sink_plan(&options, DEVICE_BYTES + 512, &verdict, &err), &err,
                 ERROR_NO_SPACE, "short by 512");
    assert_int_equal(verdict.shortfall_bytes, 512);
    assert_int_equal(sink_plan(&options, DEVICE_BYTES, &verdict, &err), 0);
    assert_range(0, DEVICE_BYTES, DIRT);
}

/* ---- --target-is-zero ---- */

static void test_trusted_zero(void **state)
{
    static const enum cw_preallocate wishes[] = { CW_PREALLOCATE_OFF,
                                                  CW_PREALLOCATE_FALLOC };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        struct sink_options options = options_for(DEVICE_BYTES, 512, 0);
        struct sink_report report = { 0 };
        struct error err = { 0 };

        options.target_is_zero = true;
        options.preallocate = wishes[i];
        assert_int_equal(sink_clone(&options, MIB, 4 * MIB, &report, &err), 0);
        assert_string_equal(report.zero_method, "trusted");
        assert_string_equal(report.preallocation, "off");
        assert_int_equal(report.preallocation_why[0] == '\0',
                         wishes[i] == CW_PREALLOCATE_OFF);
        assert_range(0, MIB, 'D');
        assert_range(MIB, DEVICE_BYTES, 0);
        loopdev_close(&loop);
    }
}

static void test_zero_is_sampled(void **state)
{
    static const struct {
        const char *name;
        uint64_t device_bytes;
        uint64_t dirt_at;
        bool keep_tail;
        bool found;
    } cases[] = {
        { "first byte", 8 * MIB, 0, false, true },
        { "last byte", 8 * MIB, 8 * MIB - 1, false, true },
        { "anywhere on a small device", 8 * MIB, 5 * MIB + 77, false, true },
        { "tail that is kept", 8 * MIB, 5 * MIB, true, false },
        { "large: first sample", 64 * MIB, 65535, false, true },
        { "large: last sample", 64 * MIB, 64 * MIB - 65536, false, true },
        { "large: between samples", 64 * MIB, 65536, false, false },
        { "odd last", 8 * MIB + 512, 8 * MIB + 511, false, true },
        { "smaller than a sample", 4096, 4095, false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sink_options options = options_for(cases[i].device_bytes, 512,
                                                  0);
        uint64_t disk_bytes = cases[i].device_bytes / 2;
        uint8_t dirt = DIRT;
        char part[96];
        struct error err = { 0 };
        int r;

        CASE(cases[i].name);
        assert_int_equal(pwrite(loop.fd, &dirt, 1, (off_t)cases[i].dirt_at), 1);
        assert_int_equal(fsync(loop.fd), 0);
        options.target_is_zero = true;
        options.keep_tail = cases[i].keep_tail;
        r = sink_clone(&options, 0, disk_bytes, NULL, &err);
        if (cases[i].found) {
            snprintf(part, sizeof(part), "is not zero at %llu",
                     (unsigned long long)cases[i].dirt_at);
            assert_error(r, &err, ERROR_REFUSED, part);
            assert_int_equal(err.offset, cases[i].dirt_at);
        } else {
            assert_int_equal(r, 0);
        }
        loopdev_close(&loop);
    }
}

/* ---- what may not be written to ---- */

static void test_held_by_somebody(void **state)
{
    struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
    struct sink *sink = NULL;
    struct error err = { 0 };
    int holder = open(loop.path, O_RDWR | O_EXCL);

    (void)state;
    assert_true(holder >= 0);
    assert_error(sink_open(&options, &sink, &err), &err, ERROR_REFUSED,
                 "in use (mounted elsewhere, or held by another program)");
    close(holder);
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    /* And we hold it ourselves: a second target is refused. */
    assert_int_equal(open(loop.path, O_RDWR | O_EXCL), -1);
    assert_int_equal(errno, EBUSY);
    sink_close(sink);
    assert_range(0, DEVICE_BYTES, DIRT);
}

static int make_ext4(const char *device)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        execlp("mkfs.ext4", "mkfs.ext4", "-q", device, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void test_mounted(void **state)
{
    char dir[] = "/var/tmp/clonewire-mount-XXXXXX", part[96];
    struct sink_options options = options_for(DEVICE_BYTES, 512, 0);
    struct sizing_verdict verdict;
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        make_ext4(loop.path) != 0)
        skip();
    assert_non_null(mkdtemp(dir));
    /* In a namespace of our own: gone with us, whatever happens. */
    assert_int_equal(mount(loop.path, dir, "ext4", 0, NULL), 0);
    snprintf(part, sizeof(part), "%s is mounted on %s", loop.path, dir);
    assert_error(sink_open(&options, &sink, &err), &err, ERROR_REFUSED, part);
    assert_error(sink_plan(&options, MIB, &verdict, &err), &err, ERROR_REFUSED,
                 part);
    umount(dir);
    rmdir(dir);
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    sink_close(sink);
}

static void test_read_only(void **state)
{
    struct sink_options options = { 0 };
    struct sizing_verdict verdict;
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    if (!loopdev_open(&loop, DEVICE_BYTES, 512, DIRT, LO_FLAGS_READ_ONLY))
        skip();
    options.path = loop.path;
    assert_error(sink_open(&options, &sink, &err), &err, ERROR_TARGET_IO,
                 "for writing: Read-only file system");
    assert_error(sink_plan(&options, MIB, &verdict, &err), &err,
                 ERROR_TARGET_IO, "for writing: Read-only file system");
}

static void test_by_a_symbolic_link(void **state)
{
    struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
    char link[] = "/var/tmp/clonewire-link-XXXXXX";
    struct error err = { 0 };

    (void)state;
    close(mkstemp(link));
    unlink(link);
    assert_int_equal(symlink(loop.path, link), 0);
    options.path = link;
    assert_int_equal(sink_clone(&options, MIB, MIB, NULL, &err), 0);
    unlink(link);
    assert_device(MIB, DEVICE_BYTES, DEVICE_BYTES);
}

/* The user a pod runs as, without the group that owns the device. */
static void test_no_right(void **state)
{
    struct sink_options options = options_for(DEVICE_BYTES, 512, DIRT);
    struct sink *sink = NULL;
    struct error err = { 0 };
    int r;

    (void)state;
    if (seteuid(107) < 0)
        skip();
    r = sink_open(&options, &sink, &err);
    assert_int_equal(seteuid(0), 0);
    assert_error(r, &err, ERROR_TARGET_IO,
                 "needs fsGroup, or device_ownership_from_security_context");
    assert_int_equal(err.errnum, EACCES);
}

#define CASE_OF(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_OF(test_dirty_devices),
        CASE_OF(test_preallocation),
        CASE_OF(test_larger_than_the_source),
        CASE_OF(test_too_small),
        CASE_OF(test_trusted_zero),
        CASE_OF(test_zero_is_sampled),
        CASE_OF(test_held_by_somebody),
        CASE_OF(test_mounted),
        CASE_OF(test_read_only),
        CASE_OF(test_by_a_symbolic_link),
        CASE_OF(test_no_right),
    };

    /* Loop devices are for root. */
    if (geteuid() != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
