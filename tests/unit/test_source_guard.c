/* What tells, later, whether an image was written to. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/source_guard.h"
#include "loopdev.h"
#include "tmpdisk.h"
#include "unit.h"

static char now[SOURCE_GUARD_IDENTITY_BYTES],
    before[SOURCE_GUARD_IDENTITY_BYTES];

static void test_file(void **state)
{
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    struct source_guard guard;
    struct error err;
    char path[64];
    int fd;

    (void)state;
    tmpdisk_make(path, sizeof(path), ".", 8192);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(source_guard_open(&guard, path, false, &err), 0);
    assert_true(source_guard_identify(&guard, before));
    assert_true(source_guard_identify(&guard, now));
    assert_string_equal(now, before);
    assert_int_equal(source_guard_check(&guard, &err), 0);

    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "x", 1, 4096), 1);
    close(fd);
    assert_int_equal(source_guard_check(&guard, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    /* Its time put back: another has come in its place. */
    usleep(20000);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(source_guard_check(&guard, &err), 0);
    assert_true(source_guard_identify(&guard, now));
    assert_string_not_equal(now, before);
    source_guard_close(&guard);
    unlink(path);
}

static void test_device(void **state)
{
    struct loopdev loop;
    struct source_guard guard;
    struct error err;

    (void)state;
    if (!loopdev_open(&loop, 1 << 20, 512, 1, 0))
        skip();
    assert_int_equal(source_guard_open(&guard, loop.path, false, &err), 0);
    if (!source_guard_identify(&guard, before)) {
        source_guard_close(&guard);
        loopdev_close(&loop);
        skip(); /* a kernel without diskseq */
    }
    assert_int_equal(fd_count_other(loop.fd, 0, 1 << 20, 1), 0);
    assert_int_equal(source_guard_check(&guard, &err), 0);
    assert_true(source_guard_identify(&guard, now));
    assert_string_equal(now, before);

    /* Still in memory, and seen all the same. */
    assert_int_equal(pwrite(loop.fd, "x", 1, 70000), 1);
    assert_true(source_guard_identify(&guard, now));
    assert_string_not_equal(now, before);
    assert_int_equal(source_guard_check(&guard, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    source_guard_close(&guard);
    loopdev_close(&loop);
}

static void test_pipe(void **state)
{
    struct source_guard guard;
    struct error err;

    (void)state;
    assert_int_equal(source_guard_open(&guard, "-", false, &err), 0);
    assert_false(source_guard_identify(&guard, now));
    assert_int_equal(source_guard_check(&guard, &err), 0);
    source_guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
