#include <sys/stat.h>
#include <sys/xattr.h>

#include "plan/chunk_grid.h"
#include "sinkplace.h"

static void test_sparse(void **state)
{
    struct sink_options options = usual();
    struct sink_report report = { 0 };
    struct error err = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(sink_clone(&options, MIB, 64 * MIB + 512, &report, &err),
                     0);
    assert_disk(MIB, 64 * MIB + 512);
    assert_string_equal(report.kind, "file");
    assert_string_equal(report.zero_method, "hole");
    assert_string_equal(report.preallocation, "off");
    assert_int_equal(report.disk_bytes, 64 * MIB + 512);
    assert_int_equal(report.sector_bytes, 512);
    assert_true(report.size.fits);
    assert_in_range(report.allocated_bytes, MIB, MIB + 65536);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_sizes(void **state)
{
    static const uint64_t sizes[] = { 0,       1,       512,         4097,
                                      MIB - 1, MIB + 1, 3 * MIB + 77 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int wish = CW_PREALLOCATE_OFF; wish <= CW_PREALLOCATE_AUTO;
             wish++) {
            struct sink_options options = usual();
            uint64_t whole_bytes = sizes[i] + chunk_grid_padding(sizes[i]);
            struct error err = { 0 };

            options.overwrite = true;
            options.preallocate = (enum cw_preallocate)wish;
            assert_int_equal(sink_clone(&options, 0, sizes[i], NULL, &err), 0);
            assert_disk(0, whole_bytes);
            assert_int_equal(
                sink_clone(&options, sizes[i], sizes[i], NULL, &err), 0);
            assert_disk(sizes[i], whole_bytes);
        }
}

static void test_preallocation(void **state)
{
    static const struct {
        enum cw_preallocate wish;
        const char *applied;
        const char *zero_method;
    } cases[] = {
        { CW_PREALLOCATE_FALLOC, "falloc", "hole" },
        { CW_PREALLOCATE_AUTO, "falloc", "hole" },
        { CW_PREALLOCATE_FULL, "full", "write" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sink_options options = usual();
        struct sink_report report = { 0 };
        struct error err = { 0 };

        CASE(cases[i].applied);
        options.preallocate = cases[i].wish;
        options.overwrite = true;
        options.size_bytes = 6 * MIB;
        assert_int_equal(sink_clone(&options, MIB, 4 * MIB, &report, &err), 0);
        assert_disk(MIB, 6 * MIB);
        assert_string_equal(report.preallocation, cases[i].applied);
        assert_string_equal(report.zero_method, cases[i].zero_method);
        assert_string_equal(report.preallocation_why, "");
        assert_true(report.allocated_bytes >= 6 * MIB);
        assert_true(allocated_of(place.path) >= 6 * MIB);
    }
}

static void test_zero_min(void **state)
{
    static const struct {
        enum cw_preallocate wish;
        uint64_t want;
    } cases[] = {
        { CW_PREALLOCATE_OFF, 0 },
        { CW_PREALLOCATE_FALLOC, 0 },
        { CW_PREALLOCATE_FULL, UINT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sink_options options = usual();
        struct sink *sink = NULL;
        struct error err = { 0 };

        options.preallocate = cases[i].wish;
        assert_int_equal(sink_open(&options, &sink, &err), 0);
        assert_int_equal(sink_prepare(sink, MIB, &err), 0);
        assert_int_equal(sink_zero_min(sink), cases[i].want);
        sink_close(sink);
    }
}

/* Adjacent ranges are one call; what is held back waits for the finish. */
static void test_zeros_are_gathered(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct sink_lane *lane;
    struct error err = { 0 };

    (void)state;
    options.preallocate = CW_PREALLOCATE_FULL;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, 8 * MIB, &err), 0);
    lane = sink_lane_open(sink, NULL);
    assert_int_equal(sink_zero(lane, 0, MIB, &err), 0);
    assert_int_equal(sink_zero(lane, MIB, MIB, &err), 0);
    assert_int_equal(sink_zeroed_bytes(sink), 0);
    assert_int_equal(sink_zero(lane, 4 * MIB, 4096, &err), 0);
    assert_int_equal(sink_zeroed_bytes(sink), 2 * MIB);
    assert_int_equal(sink_lane_finish(lane, &err), 0);
    assert_int_equal(sink_zeroed_bytes(sink), 2 * MIB + 4096);
    assert_int_equal(sink_lane_finish(lane, &err), 0);
    assert_int_equal(sink_zeroed_bytes(sink), 2 * MIB + 4096);

    sink_stop(sink);
    assert_int_equal(sink_zero(lane, 5 * MIB, MIB, &err), 0);
    assert_error(sink_lane_finish(lane, &err), &err, ERROR_CANCELLED, "zero");
    sink_lane_close(lane);
    sink_close(sink);
}

static void test_write_errors(void **state)
{
    static const struct {
        int errnum;
        enum error_kind want;
    } cases[] = {
        { EIO, ERROR_TARGET_IO },
        { ENOSPC, ERROR_NO_SPACE },
        { EDQUOT, ERROR_NO_SPACE },
    };
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct sink_lane *lane;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, 8 * MIB, &err), 0);
    lane = sink_lane_open(sink, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ring_failure = cases[i].errnum;
        assert_error(sink_put(lane, 3 * MIB, 4096, 'D', &err), &err,
                     cases[i].want, "write 4096 bytes at 3145728 of /");
        assert_int_equal(err.errnum, cases[i].errnum);
        assert_int_equal(err.offset, 3 * MIB);
    }
    sink_lane_close(lane);
    sink_close(sink);
}

/* ---- what may not be written to ---- */

static void assert_refused(const char *path, enum error_kind kind,
                           const char *part)
{
    struct sink_options options = usual();
    struct sizing_verdict verdict;
    struct sink *sink = NULL;
    struct error err = { 0 };

    CASE(part);
    options.path = path;
    assert_error(sink_open(&options, &sink, &err), &err, kind, part);
    assert_error(sink_plan(&options, MIB, &verdict, &err), &err, kind, part);
    assert_false(exists(place.partial));
}

static void test_refused_places(void **state)
{
    char path[160];

    (void)state;
    put_file(place.path, 10, 'x');
    assert_refused(place.dir, ERROR_REFUSED, "directory that is not empty");
    unlink(place.path);
    snprintf(path, sizeof(path), "%s/none/", place.dir);
    assert_refused(path, ERROR_REFUSED, "names a directory");
    snprintf(path, sizeof(path), "%s/none/disk.img", place.dir);
    assert_refused(path, ERROR_USAGE, "none of disk.img: No such file");
    assert_refused("/dev/no-such-device", ERROR_REFUSED, "no such device");
    assert_refused("/dev/../dev/no-such", ERROR_REFUSED, "no such device");
    assert_refused("/dev/null", ERROR_REFUSED, "neither a regular file nor");

    assert_int_equal(mkfifo(place.path, 0600), 0);
    assert_refused(place.path, ERROR_REFUSED, "neither a regular file nor");
    unlink(place.path);

    snprintf(path, sizeof(path), "%s/link", place.dir);
    assert_int_equal(symlink(place.path, path), 0);
    assert_refused(path, ERROR_REFUSED, "leads nowhere");
    put_file(place.path, 10, 'x');
    assert_refused(path, ERROR_REFUSED, "symbolic link to a file");
    assert_refused(place.path, ERROR_REFUSED, "exists; --overwrite");
    assert_int_equal(size_of(place.path), 10);
}

static void test_shm_is_no_device_directory(void **state)
{
    char path[] = "/dev/shm/clonewire-sink-file-XXXXXX";
    struct sink_options options = usual();
    struct sizing_verdict verdict;
    struct error err = { 0 };
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    options.path = path;
    assert_int_equal(sink_plan(&options, MIB, &verdict, &err), 0);
    assert_false(exists(path));
}

static void test_name_too_long(void **state)
{
    char path[400];
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };
    int n = snprintf(path, sizeof(path), "%s/", place.dir);

    (void)state;
    memset(path + n, 'n', 256); /* one more than a name may have */
    path[n + 256] = '\0';
    options.path = path;
    assert_error(sink_open(&options, &sink, &err), &err, ERROR_TARGET_IO,
                 "File name too long");
}

/* ---- names, locks and leftovers ---- */

static void test_overwrite_keeps_the_old_until_the_end(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    put_file(place.path, 3 * MIB, 'o');
    options.overwrite = true;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, 2 * MIB, &err), 0);
    assert_int_equal(sink_fill(sink, MIB, 2 * MIB, &err), 0);
    assert_int_equal(sink_finish(sink, &err), 0);
    assert_int_equal(size_of(place.path), 3 * MIB);
    assert_int_equal(sink_commit(sink, &err), 0);
    sink_close(sink);
    assert_disk(MIB, 2 * MIB);
}

static void test_a_name_made_meanwhile_is_not_replaced(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, MIB, &err), 0);
    assert_int_equal(sink_fill(sink, MIB, MIB, &err), 0);
    assert_int_equal(sink_finish(sink, &err), 0);
    put_file(place.path, 5, 'x');
    assert_error(sink_commit(sink, &err), &err, ERROR_REFUSED,
                 "the disk is whole in");
    sink_close(sink);
    assert_int_equal(size_of(place.path), 5);
    assert_int_equal(size_of(place.partial), MIB);
}

static void test_one_target_at_a_time(void **state)
{
    struct sink_options options = usual();
    struct sink *first = NULL, *second = NULL;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sink_open(&options, &first, &err), 0);
    assert_error(sink_open(&options, &second, &err), &err, ERROR_REFUSED,
                 "being written by another target");
    /* The one refused took nothing away from the other. */
    assert_true(exists(place.partial));
    sink_close(first);
    assert_false(exists(place.partial));
    assert_int_equal(sink_clone(&options, MIB, MIB, NULL, &err), 0);
}

static void test_a_leftover_is_replaced(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    put_file(place.partial, 5 * MIB, 0xA5);
    assert_int_equal(sink_clone(&options, 4096, 2 * MIB, NULL, &err), 0);
    assert_disk(4096, 2 * MIB);
    assert_true(allocated_of(place.path) < MIB);
    unlink(place.path);

    /* A run that dies leaves one, and the next does not mind. */
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare(sink, 2 * MIB, &err), 0);
    assert_int_equal(sink_fill(sink, MIB, 2 * MIB, &err), 0);
    sink_close(sink);
    assert_true(exists(place.partial));
    assert_false(exists(place.path));
    assert_int_equal(sink_clone(&options, 0, MIB, NULL, &err), 0);
    assert_disk(0, MIB);
}

/* ---- whose partial file is it? ---- */

static void put_link(void)
{
    put_file(place.path, 10, 'x');
    assert_int_equal(symlink(place.path, place.partial), 0);
}

static void put_fifo(void)
{
    assert_int_equal(mkfifo(place.partial, 0600), 0);
}

static void put_directory(void)
{
    assert_int_equal(mkdir(place.partial, 0700), 0);
}

static void put_hard_link(void)
{
    put_file(place.path, 10, 'x');
    assert_int_equal(link(place.path, place.partial), 0);
}

static void put_others(void)
{
    put_file(place.partial, 10, 'x');
    assert_int_equal(chown(place.partial, 65534, 65534), 0);
}

static void put_open(void)
{
    put_file(place.partial, 10, 'x');
    assert_int_equal(chmod(place.partial, 0666), 0);
}

/* What another user may have made stays as it is, and is not used. */
static void test_planted_partials(void **state)
{
    static const struct {
        const char *name;
        void (*put)(void);
    } cases[] = {
        { "symbolic link", put_link },  { "FIFO", put_fifo },
        { "directory", put_directory }, { "hard link", put_hard_link },
        { "another's", put_others },    { "for all to write", put_open },
    };
    char second[200];

    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(second, sizeof(second), "%s-2", place.partial);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sink_options options = usual();
        struct stat before, after;
        struct sink *sink = NULL;
        struct error err = { 0 };

        print_message("%s\n", cases[i].name);
        cases[i].put();
        assert_int_equal(lstat(place.partial, &before), 0);
        options.overwrite = true;
        assert_int_equal(sink_open(&options, &sink, &err), 0);
        assert_string_equal(sink_content_path(sink), second);
        assert_int_equal(sink_prepare(sink, 2 * MIB, &err), 0);
        assert_int_equal(sink_fill(sink, MIB, 2 * MIB, &err), 0);
        assert_int_equal(sink_finish(sink, &err), 0);
        assert_int_equal(sink_commit(sink, &err), 0);
        sink_close(sink);
        assert_int_equal(size_of(place.path), 2 * MIB);
        assert_int_equal(lstat(place.partial, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(before.st_mode, after.st_mode);
        assert_false(exists(second));
        assert_int_equal(remove(place.partial), 0);
        unlink(place.path);
    }
}

/* The names that would do may all be taken. */
static void test_too_many_planted(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };
    char name[200];

    (void)state;
    put_fifo();
    for (int i = 2; i <= 8; i++) {
        snprintf(name, sizeof(name), "%s-%d", place.partial, i);
        assert_int_equal(mkfifo(name, 0600), 0);
    }
    assert_error(sink_open(&options, &sink, &err), &err, ERROR_REFUSED,
                 "not safe to use");
    for (int i = 2; i <= 8; i++) {
        snprintf(name, sizeof(name), "%s-%d", place.partial, i);
        unlink(name);
    }
}

/* ---- mode and owner ---- */

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

/* umask 027, as setup() has it: the group may read, and may write where it may
 * write in the directory. */
static void test_mode_of_a_new_file(void **state)
{
    struct sink_options options = usual();
    struct error err = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(sink_clone(&options, 0, MIB, NULL, &err), 0);
    assert_int_equal(mode_of(place.path), 0640);
    unlink(place.path);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(place.dir, (uid_t)-1, 107), 0);
    assert_int_equal(chmod(place.dir, 02775), 0);
    umask(0077);
    assert_int_equal(sink_clone(&options, 0, MIB, NULL, &err), 0);
    assert_int_equal(mode_of(place.path), 0660);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_gid, 107);
}

static void test_overwrite_keeps_access(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };
    struct stat st;
    char value[8] = "";

    (void)state;
    if (geteuid() != 0)
        skip();
    put_file(place.path, 10, 'x');
    assert_int_equal(chown(place.path, 64055, 108), 0);
    assert_int_equal(chmod(place.path, 0604), 0);
    assert_int_equal(setxattr(place.path, "user.tag", "gold", 4, 0), 0);
    options.overwrite = true;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(mode_of(sink_content_path(sink)), 0600);
    assert_int_equal(sink_prepare(sink, MIB, &err), 0);
    assert_int_equal(sink_finish(sink, &err), 0);
    assert_int_equal(sink_commit(sink, &err), 0);
    sink_close(sink);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_uid, 64055);
    assert_int_equal(st.st_gid, 108);
    assert_int_equal(st.st_mode & 07777, 0604);
    assert_int_equal(getxattr(place.path, "user.tag", value, sizeof(value)), 4);
    assert_string_equal(value, "gold");
}

static void test_unused_sink_leaves_nothing(void **state)
{
    struct sink_options options = usual();
    struct sink *sink = NULL;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    sink_close(sink);
    assert_false(exists(place.partial));

    options.size_bytes = MIB;
    assert_error(sink_clone(&options, 0, 2 * MIB, NULL, &err), &err,
                 ERROR_USAGE, "smaller than the source");
    assert_false(exists(place.partial));
    sink_close(NULL);
}

#define CASE_OF(test, set_up) \
    cmocka_unit_test_setup_teardown(test, set_up, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_OF(test_sparse, setup),
        CASE_OF(test_sizes, setup),
        CASE_OF(test_preallocation, setup),
        CASE_OF(test_zero_min, setup),
        CASE_OF(test_zeros_are_gathered, setup),
        CASE_OF(test_write_errors, setup),
        CASE_OF(test_refused_places, setup),
        CASE_OF(test_shm_is_no_device_directory, setup),
        CASE_OF(test_name_too_long, setup),
        CASE_OF(test_overwrite_keeps_the_old_until_the_end, setup),
        CASE_OF(test_a_name_made_meanwhile_is_not_replaced, setup),
        CASE_OF(test_one_target_at_a_time, setup),
        CASE_OF(test_a_leftover_is_replaced, setup),
        CASE_OF(test_planted_partials, setup),
        CASE_OF(test_too_many_planted, setup),
        CASE_OF(test_mode_of_a_new_file, setup),
        CASE_OF(test_overwrite_keeps_access, setup),
        CASE_OF(test_unused_sink_leaves_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
