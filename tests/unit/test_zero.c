#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "loopdev.h"
#include "sink/zero.h"
#include "unit.h"

#define MIB        (UINT64_C(1) << 20)
#define DISK_BYTES (2 * MIB)
#define DIRT       0xA5

/* ---- the engine, with methods that only say what they were asked ---- */

static struct {
    unsigned calls[4];
    int result[4];
    uint64_t offset, length; /* of the last call of each */
    uint64_t written[4][2];  /* of the "write" row */
} fake;

static int fake_call(unsigned i, uint64_t offset, uint64_t length)
{
    fake.calls[i]++;
    fake.offset = offset;
    fake.length = length;
    return fake.result[i];
}

static int fake_punch(struct file *file, uint64_t offset, uint64_t length)
{
    (void)file;
    return fake_call(0, offset, length);
}

static int fake_range(struct file *file, uint64_t offset, uint64_t length)
{
    (void)file;
    return fake_call(1, offset, length);
}

static int fake_write(struct file *file, uint64_t offset, uint64_t length)
{
    (void)file;
    if (fake.calls[3] < ARRAY_LEN(fake.written)) {
        fake.written[fake.calls[3]][0] = offset;
        fake.written[fake.calls[3]][1] = length;
    }
    return fake_call(3, offset, length);
}

static const struct zero_method fake_methods[] = {
    { "punch", false, fake_punch },
    { "range", true, fake_range },
    { "write", true, fake_write },
    { 0 },
};

static unsigned log_lines;

static void count_line(void *opaque, enum cw_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    (void)line;
    log_lines++;
}

static void fake_init(struct zeroer *z, struct file *file, bool must_allocate)
{
    memset(&fake, 0, sizeof(fake));
    *file = (struct file)FILE_CLOSED;
    file->align_bytes = 4096;
    zeroer_init(z, file, "fake", fake_methods, must_allocate);
    log_lines = 0;
    log_open(count_line, NULL, CW_LOG_INFO);
}

static void test_first_rung_is_taken(void **state)
{
    struct zeroer z;
    struct file file;
    uint64_t at;

    (void)state;
    fake_init(&z, &file, false);
    assert_string_equal(zeroer_name(&z), "punch");
    assert_int_equal(zeroer_apply(&z, MIB, MIB, &at), 0);
    assert_int_equal(fake.calls[0], 1);
    assert_int_equal(fake.offset, MIB);
    assert_int_equal(fake.length, MIB);
    assert_int_equal(fake.calls[1] + fake.calls[3], 0);
    assert_int_equal(z.zeroed_bytes, MIB);
    assert_int_equal(log_lines, 0);
}

/* Unsupported or broken: a rung that fails is asked once and never again. */
static void test_a_failed_rung_is_retired(void **state)
{
    static const int results[] = { -EOPNOTSUPP, -EIO, -EINVAL, -EPERM };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct zeroer z;
        struct file file;
        uint64_t at;

        fake_init(&z, &file, false);
        fake.result[0] = results[i];
        assert_int_equal(zeroer_apply(&z, 0, MIB, &at), 0);
        assert_string_equal(zeroer_name(&z), "range");
        fake.result[0] = 0; /* too late */
        assert_int_equal(zeroer_apply(&z, MIB, MIB, &at), 0);
        assert_int_equal(fake.calls[0], 1);
        assert_int_equal(fake.calls[1], 2);
        assert_int_equal(log_lines, 1);
    }
}

static void test_only_writing_can_fail(void **state)
{
    struct zeroer z;
    struct file file;
    uint64_t at = 0;

    (void)state;
    fake_init(&z, &file, false);
    fake.result[0] = -EOPNOTSUPP;
    fake.result[1] = -EIO;
    assert_int_equal(zeroer_apply(&z, MIB, MIB, &at), 0);
    assert_string_equal(zeroer_name(&z), "write");
    assert_int_equal(log_lines, 2);

    fake.result[3] = -ENOSPC;
    assert_int_equal(zeroer_apply(&z, 3 * MIB, MIB, &at), -ENOSPC);
    assert_int_equal(at, 3 * MIB);
    assert_int_equal(z.zeroed_bytes, MIB);
    /* Never retired: there is nothing after it. */
    fake.result[3] = 0;
    assert_int_equal(zeroer_apply(&z, 3 * MIB, MIB, &at), 0);
    assert_int_equal(fake.calls[0] + fake.calls[1], 2);
}

static void test_allocation_is_kept(void **state)
{
    struct zeroer z;
    struct file file;
    uint64_t at;

    (void)state;
    fake_init(&z, &file, true);
    assert_string_equal(zeroer_name(&z), "range");
    fake.result[1] = -EOPNOTSUPP;
    assert_int_equal(zeroer_apply(&z, 0, MIB, &at), 0);
    assert_string_equal(zeroer_name(&z), "write");
    assert_int_equal(fake.calls[0], 0);
    assert_int_equal(fake.calls[1], 1);
    assert_int_equal(fake.calls[3], 1);
}

static void test_unaligned_edges_are_written(void **state)
{
    static const struct {
        const char *name;
        uint64_t offset, length;
        uint64_t middle, middle_length; /* 0: none */
        unsigned writes;
        uint64_t written[2][2];
    } cases[] = {
        { "aligned", 4096, 8192, 4096, 8192, 0, { { 0 } } },
        { "head", 512, 7680, 4096, 4096, 1, { { 512, 3584 } } },
        { "tail", 4096, 4097, 4096, 4096, 1, { { 8192, 1 } } },
        { "both", 1, 8192, 4096, 4096, 2, { { 1, 4095 }, { 8192, 1 } } },
        { "inside one", 1, 4094, 0, 0, 1, { { 1, 4094 } } },
        { "over one border", 4095, 2, 0, 0, 1, { { 4095, 2 } } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zeroer z;
        struct file file;
        uint64_t at;

        CASE(cases[i].name);
        fake_init(&z, &file, false);
        assert_int_equal(
            zeroer_apply(&z, cases[i].offset, cases[i].length, &at), 0);
        assert_int_equal(fake.calls[0], cases[i].middle_length != 0);
        assert_int_equal(fake.calls[3], cases[i].writes);
        for (unsigned w = 0; w < cases[i].writes; w++) {
            assert_int_equal(fake.written[w][0], cases[i].written[w][0]);
            assert_int_equal(fake.written[w][1], cases[i].written[w][1]);
        }
        assert_int_equal(z.zeroed_bytes, cases[i].length);
    }
}

static void test_pieces_and_stop(void **state)
{
    atomic_bool stop = false;
    struct zeroer z;
    struct file file;
    uint64_t at = 0;

    (void)state;
    fake_init(&z, &file, false);
    assert_int_equal(zeroer_apply(&z, 0, UINT64_C(1) << 40, &at), 0);
    assert_int_equal(z.zeroed_bytes, UINT64_C(1) << 40);
    /* 64 MiB, 128, ... then 1 GiB each: never one call for all. */
    assert_true(fake.calls[0] >= 1024 && fake.calls[0] < 1100);
    assert_true(fake.length <= UINT64_C(1) << 30);

    fake_init(&z, &file, false);
    z.stop = &stop;
    assert_int_equal(zeroer_apply(&z, 0, MIB, &at), 0);
    fake.calls[0] = 0;
    atomic_store(&stop, true);
    assert_int_equal(zeroer_apply(&z, MIB, MIB, &at), -ECANCELED);
    assert_int_equal(at, MIB);
    assert_int_equal(fake.calls[0], 0);
}

/* ---- every real rung alone, on what it is for ---- */

/* Retires every method but the one called name, and the last. */
static void leave_only(struct zeroer *z, const char *name)
{
    unsigned found = 0;

    for (unsigned i = 0; z->methods[i].name; i++)
        if (strcmp(z->methods[i].name, name) == 0)
            found++;
        else
            z->retired |= 1U << i;
    assert_int_equal(found, 1);
    assert_string_equal(zeroer_name(z), name);
}

/* Zeroes the odd range in the middle of a dirty disk and looks around it. */
static void check_rung(struct zeroer *z, const char *name)
{
    const uint64_t begin = 64 * 1024 + 512, end = DISK_BYTES - 512;
    uint64_t at = 0;

    CASE(name);
    leave_only(z, name);
    assert_int_equal(zeroer_apply(z, begin, end - begin, &at), 0);
    /* Still live: this rung and not "write" did it. */
    assert_string_equal(zeroer_name(z), name);
    assert_int_equal(fd_count_other(z->file->fd, 0, begin, DIRT), 0);
    assert_int_equal(fd_count_other(z->file->fd, begin, end - begin, 0), 0);
    assert_int_equal(fd_count_other(z->file->fd, end, DISK_BYTES - end, DIRT),
                     0);
}

static void dirty(int fd)
{
    uint8_t *content = malloc(DISK_BYTES);

    assert_non_null(content);
    memset(content, DIRT, DISK_BYTES);
    assert_int_equal(pwrite(fd, content, DISK_BYTES, 0), DISK_BYTES);
    assert_int_equal(fsync(fd), 0);
    free(content);
}

static uint64_t allocated(int fd)
{
    struct stat st;

    assert_int_equal(fsync(fd), 0);
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void check_file_rungs(const char *dir, enum cw_io_mode mode)
{
    static const struct {
        const char *name;
        const struct zero_method *methods;
        bool frees;
    } rungs[] = {
        { "punch-hole", zero_file_methods, true },
        { "zero-range", zero_file_methods, false },
        { "write", zero_file_methods, false },
        { "write", zero_write_methods, false },
    };
    char path[64];
    struct file file;
    int fd;

    snprintf(path, sizeof(path), "%s/clonewire-zero-XXXXXX", dir);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_open(&file, path, O_RDWR, 0, mode), 0);
    unlink(path);
    for (size_t i = 0; i < ARRAY_LEN(rungs); i++) {
        struct zeroer z;
        int r;

        dirty(file.fd);
        /* tmpfs has no zero-range; a filesystem may lack either. */
        r = fallocate(
            file.fd,
            FALLOC_FL_KEEP_SIZE |
                (rungs[i].frees ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE),
            0, 0x1000);
        if (r < 0 && strcmp(rungs[i].name, "write") != 0) {
            assert_int_equal(errno, EOPNOTSUPP);
            print_message("    %s: not on %s\n", rungs[i].name, dir);
            continue;
        }
        dirty(file.fd);
        zeroer_init(&z, &file, path, rungs[i].methods, false);
        check_rung(&z, rungs[i].name);
        if (rungs[i].frees)
            assert_true(allocated(file.fd) < DISK_BYTES / 2);
        else
            assert_true(allocated(file.fd) >= DISK_BYTES);
    }
    assert_int_equal(file_close(&file), 0);
}

static void test_rungs_on_files(void **state)
{
    (void)state;
    log_open(NULL, NULL, CW_LOG_ERROR);
    check_file_rungs("/dev/shm", CW_IO_MODE_BUFFERED);
    check_file_rungs("/var/tmp", CW_IO_MODE_BUFFERED);
    check_file_rungs("/var/tmp", CW_IO_MODE_AUTO);
}

static void check_device_rungs(unsigned sector_bytes)
{
    static const char *const names[] = { "punch-hole", "compare", "zero-range",
                                         "zeroout", "write" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct loopdev loop;
        struct zeroer z;
        struct file file;

        if (!loopdev_open(&loop, DISK_BYTES, sector_bytes, DIRT, 0))
            skip();
        assert_int_equal(
            file_open(&file, loop.path, O_RDWR | O_EXCL, 0, CW_IO_MODE_AUTO),
            0);
        assert_int_equal(file.sector_bytes, sector_bytes);
        zeroer_init(&z, &file, loop.path, zero_block_methods, false);
        check_rung(&z, names[i]);
        assert_int_equal(file_sync(&file), 0);
        assert_int_equal(file_close(&file), 0);
        loopdev_close(&loop);
    }
}

static void test_rungs_on_a_512_byte_device(void **state)
{
    (void)state;
    check_device_rungs(512);
}

static void test_rungs_on_a_4096_byte_device(void **state)
{
    (void)state;
    check_device_rungs(4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_rung_is_taken),
        cmocka_unit_test(test_a_failed_rung_is_retired),
        cmocka_unit_test(test_only_writing_can_fail),
        cmocka_unit_test(test_allocation_is_kept),
        cmocka_unit_test(test_unaligned_edges_are_written),
        cmocka_unit_test(test_pieces_and_stop),
        cmocka_unit_test(test_rungs_on_files),
        cmocka_unit_test(test_rungs_on_a_512_byte_device),
        cmocka_unit_test(test_rungs_on_a_4096_byte_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
