/* What tells whether a source is in use, was written to, or was replaced. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/source_guard.h"
#include "loopdev.h"
#include "tmpdisk.h"
#include "unit.h"

static char now[SOURCE_GUARD_IDENTITY_BYTES],
    before[SOURCE_GUARD_IDENTITY_BYTES];
static char path[64];
static struct source_guard *guard;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    tmpdisk_make(path, sizeof(path), ".", 8192);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    source_guard_close(guard);
    guard = NULL;
    unlink(path);
    return 0;
}

static void open_guard(bool allow_in_use)
{
    assert_int_equal(source_guard_open(&guard, path, path, allow_in_use, &err),
                     0);
    assert_non_null(guard);
    assert_true(source_guard_identify(guard, before));
    assert_int_equal(source_guard_check(guard, &err), 0);
}

/* Later than any tick of the clock that files' times come from. */
static void write_byte(void)
{
    int fd = open(path, O_RDWR);

    usleep(20000);
    assert_int_equal(pwrite(fd, "x", 1, 4096), 1);
    close(fd);
}

static void assert_changed(const char *word)
{
    assert_int_equal(source_guard_check(guard, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    assert_non_null(strstr(err.text, word));
}

static void test_unchanged(void **state)
{
    (void)state;
    open_guard(false);
    assert_true(source_guard_identify(guard, now));
    assert_string_equal(now, before);
}

static void test_written(void **state)
{
    (void)state;
    open_guard(false);
    write_byte();
    assert_changed("was written to");
    assert_true(source_guard_identify(guard, now));
    assert_string_not_equal(now, before);
}

static void test_written_and_its_time_put_back(void **state)
{
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

    (void)state;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    open_guard(false);
    write_byte();
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_changed("ctime");
    assert_true(source_guard_identify(guard, now));
    assert_string_not_equal(now, before);
}

static void test_grown(void **state)
{
    (void)state;
    open_guard(false);
    assert_int_equal(truncate(path, 16384), 0);
    assert_changed("another size");
}

static void test_replaced(void **state)
{
    char other[64];
    struct stat st;

    (void)state;
    open_guard(false);
    tmpdisk_make(other, sizeof(other), ".", 8192);
    assert_int_equal(rename(other, path), 0);
    assert_changed("replaced");
    /* Who opens it by the guard has the file of before. */
    assert_int_equal(stat(guard->path, &st), 0);
    assert_int_equal(st.st_ino, guard->stat.st_ino);
}

static void test_allowed(void **state)
{
    (void)state;
    open_guard(true);
    write_byte();
    assert_int_equal(source_guard_check(guard, &err), 0);
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(source_guard_open(&guard, "absent", "absent", false, &err),
                     0);
    assert_null(guard);
    assert_int_equal(
        source_guard_open(&guard, "/dev/null", "/dev/null", false, &err), 0);
    assert_null(guard);
}

static void test_standard_input(void **state)
{
    int kept = dup(STDIN_FILENO), fd = open(path, O_RDONLY);
    int ends[2];

    (void)state;
    assert_true(kept >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(source_guard_open(&guard, "-", "-", false, &err), 0);
    assert_non_null(guard);
    write_byte();
    assert_changed("- was written to");
    source_guard_close(guard);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(source_guard_open(&guard, "-", "-", false, &err), 0);
    assert_null(guard);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    close(kept);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

static void test_device(void **state)
{
    struct loopdev loop;

    (void)state;
    if (!loopdev_open(&loop, 1 << 20, 512, 1, 0))
        skip();
    assert_int_equal(
        source_guard_open(&guard, loop.path, loop.path, false, &err), 0);
    if (!source_guard_identify(guard, before)) {
        loopdev_close(&loop);
        skip(); /* a kernel without diskseq */
    }
    assert_int_equal(fd_count_other(loop.fd, 0, 1 << 20, 1), 0);
    assert_int_equal(source_guard_check(guard, &err), 0);
    assert_true(source_guard_identify(guard, now));
    assert_string_equal(now, before);

    /* Still in memory, and seen all the same. */
    assert_int_equal(pwrite(loop.fd, "x", 1, 70000), 1);
    assert_true(source_guard_identify(guard, now));
    assert_string_not_equal(now, before);
    assert_changed("was written to");
    loopdev_close(&loop);
}

/* Readers share a device; a writer that claims it is in their way. */
static void test_two_readers_and_a_writer(void **state)
{
    struct source_guard *other;
    struct loopdev loop;
    int writer;

    (void)state;
    if (!loopdev_open(&loop, 1 << 20, 512, 1, 0))
        skip();
    assert_int_equal(
        source_guard_open(&guard, loop.path, loop.path, false, &err), 0);
    assert_int_equal(
        source_guard_open(&other, loop.path, loop.path, false, &err), 0);
    assert_non_null(other);
    source_guard_close(other);
    writer = open(loop.path, O_RDWR | O_EXCL);
    assert_true(writer >= 0);
    assert_int_equal(
        source_guard_open(&other, loop.path, loop.path, false, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    assert_int_equal(
        source_guard_open(&other, loop.path, loop.path, true, &err), 0);
    source_guard_close(other);
    close(writer);
    loopdev_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unchanged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_and_its_time_put_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_standard_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_readers_and_a_writer, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
