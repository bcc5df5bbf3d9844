/* Does it fit?  File sinks on a filesystem of 32 MiB of their own. */
#include <sched.h>
#include <sys/statvfs.h>

#include "sinkplace.h"

static int setup_small(void **state)
{
    (void)state;
    if (setup_in("/var/tmp") < 0)
        return -1;
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 0;
    return mount("none", place.dir, "tmpfs", 0, "size=32m");
}

static bool is_small(void)
{
    struct statvfs fs;

    return statvfs(place.dir, &fs) == 0 &&
           fs.f_blocks * fs.f_frsize == 32 * MIB;
}

static void test_too_large(void **state)
{
    static const enum cw_preallocate wishes[] = { CW_PREALLOCATE_OFF,
                                                  CW_PREALLOCATE_FALLOC,
                                                  CW_PREALLOCATE_FULL };
    struct sink_options options = usual();
    struct sink_report report = { 0 };
    struct error err = { 0 };

    (void)state;
    if (!is_small())
        skip();
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        options.preallocate = wishes[i];
        assert_error(sink_clone(&options, 0, 31 * MIB, &report, &err), &err,
                     ERROR_NO_SPACE,
                     "disk of 32505856 bytes does not fit: needs 34293679 "
                     "with 5.5 % overhead, volume has 33554432 (usable "
                     "31457280): short by 739247; request a volume of at "
                     "least 34293679 bytes");
        assert_int_equal(report.size.shortfall_bytes, 739247);
        assert_false(exists(place.partial));
        assert_int_equal(sink_clone(&options, 0, 30 * MIB, &report, &err), 0);
        assert_int_equal(report.size.usable_bytes, 30 * MIB);
        unlink(place.path);
    }
}

static void test_overcommit_is_for_sparse_files(void **state)
{
    struct sink_options options = usual();
    struct sink_report report = { 0 };
    struct error err = { 0 };

    (void)state;
    if (!is_small())
        skip();
    options.overcommit = true;
    assert_int_equal(sink_clone(&options, MIB, 256 * MIB, &report, &err), 0);
    assert_false(report.size.fits);
    assert_disk(MIB, 256 * MIB);

    options.overwrite = true;
    options.preallocate = CW_PREALLOCATE_FALLOC;
    assert_error(sink_clone(&options, MIB, 256 * MIB, &report, &err), &err,
                 ERROR_NO_SPACE, "does not fit");
    assert_disk(MIB, 256 * MIB);
}

static void test_grow_to_the_volume(void **state)
{
    struct sink_options options = usual();
    struct sink_report report = { 0 };
    struct error err = { 0 };

    (void)state;
    if (!is_small())
        skip();
    options.size_max = true;
    assert_int_equal(sink_clone(&options, MIB, 4 * MIB, &report, &err), 0);
    assert_disk(MIB, 30 * MIB);
    assert_int_equal(report.disk_bytes, 30 * MIB);
}

static void test_own_space_is_counted_in(void **state)
{
    struct sink_options options = usual();
    struct sizing_verdict verdict;
    struct error err = { 0 };

    (void)state;
    if (!is_small())
        skip();
    put_file(place.partial, 20 * MIB, 0xA5);
    assert_int_equal(sink_plan(&options, 30 * MIB, &verdict, &err), 0);
    assert_int_equal(size_of(place.partial), 20 * MIB);
    assert_int_equal(sink_clone(&options, 0, 30 * MIB, NULL, &err), 0);
    unlink(place.path);

    /* Refused, the leftover of the earlier run stays what it is. */
    put_file(place.partial, 20 * MIB, 0xA5);
    assert_error(sink_clone(&options, 0, 31 * MIB, NULL, &err), &err,
                 ERROR_NO_SPACE, "does not fit");
    assert_int_equal(size_of(place.partial), 20 * MIB);
}

/* Room for one of them only: refused, and the old one stays. */
static void test_overwrite_without_room_for_both(void **state)
{
    struct sink_options options = usual();
    struct sizing_verdict verdict;
    struct error err = { 0 };

    (void)state;
    if (!is_small())
        skip();
    put_file(place.path, 20 * MIB, 'o');
    options.overwrite = true;
    options.preallocate = CW_PREALLOCATE_FALLOC;

    /* Not even without the old one: nothing is said of it. */
    assert_error(sink_plan(&options, 31 * MIB, &verdict, &err), &err,
                 ERROR_NO_SPACE, "does not fit");
    assert_null(strstr(err.text, "old file"));
    assert_error(sink_plan(&options, 28 * MIB, &verdict, &err), &err,
                 ERROR_NO_SPACE, "beside the old file, which stays");
    assert_error(sink_clone(&options, 0, 28 * MIB, NULL, &err), &err,
                 ERROR_NO_SPACE, "beside the old file, which stays");
    assert_int_equal(size_of(place.path), 20 * MIB);
    assert_int_equal(sink_clone(&options, 0, 10 * MIB, NULL, &err), 0);
    assert_disk(0, 10 * MIB);
}

/* Both plan with the same free bytes; only one gets them, the other hears
 * it at the start. */
static void test_two_clones_do_not_share_space(void **state)
{
    struct sink_options options = usual(), other = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };
    char path[128];

    (void)state;
    if (!is_small())
        skip();
    snprintf(path, sizeof(path), "%s/other.img", place.dir);
    other.path = path;
    options.preallocate = other.preallocate = CW_PREALLOCATE_FALLOC;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, 20 * MIB, &err), 0);
    assert_error(sink_clone(&other, 0, 20 * MIB, NULL, &err), &err,
                 ERROR_NO_SPACE, "volume has 12582912");
    sink_close(sink);
    assert_true(exists(place.partial));
    unlink(place.partial);
    assert_int_equal(sink_clone(&other, 0, 20 * MIB, NULL, &err), 0);
    unlink(path);
}

#define CASE_OF(test, set_up) \
    cmocka_unit_test_setup_teardown(test, set_up, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_OF(test_too_large, setup_small),
        CASE_OF(test_overcommit_is_for_sparse_files, setup_small),
        CASE_OF(test_grow_to_the_volume, setup_small),
        CASE_OF(test_own_space_is_counted_in, setup_small),
        CASE_OF(test_overwrite_without_room_for_both, setup_small),
        CASE_OF(test_two_clones_do_not_share_space, setup_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
