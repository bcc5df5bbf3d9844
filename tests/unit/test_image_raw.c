/* A raw disk through map and ring, and what is said when it cannot be had. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "helpers/read_image.h"
#include "image/image.h"
#include "unit.h"

#define FILE_BYTES (UINT64_C(9) * 1024 * 1024 + 1234)
#define DISK_BYTES (UINT64_C(9) * 1024 * 1024 + 1536) /* whole sectors */

static char path[] = "/tmp/clonewire-raw-XXXXXX";
static uint8_t *want;
static unsigned seed;

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    seed = unit_seed();
    want = calloc(1, DISK_BYTES);
    if (fd < 0 || !want || ftruncate(fd, (off_t)FILE_BYTES) < 0)
        return -1;
    for (int i = 0; i < 40; i++) {
        uint64_t at = (uint64_t)rand_r(&seed) % FILE_BYTES;
        uint64_t len = 1 + (uint64_t)rand_r(&seed) % 100000;

        if (len > FILE_BYTES - at)
            len = FILE_BYTES - at;
        memset(want + at, 1 + rand_r(&seed) % 255, len);
        if (pwrite(fd, want + at, len, (off_t)at) != (ssize_t)len)
            return -1;
    }
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    free(want);
    return unlink(path);
}

static void test_reads_what_was_written(void **state)
{
    static const enum cw_io_mode modes[] = { CW_IO_MODE_AUTO,
                                             CW_IO_MODE_BUFFERED };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct image_options options = { .path = path, .mode = modes[i] };
        struct reader reader;
        struct error err;

        if (reader_open(&reader, &options, &err) < 0 ||
            reader_run(&reader, want, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(reader.image->virtual_bytes, DISK_BYTES);
        assert_int_equal(reader.image->padding_bytes, DISK_BYTES - FILE_BYTES);
        assert_string_equal(reader.image->format_text, "raw");
        assert_in_range(reader.data_bytes, 1, DISK_BYTES);
        reader_close(&reader);
    }
}

/* The sector that the file ends in, by a read of its own; data or a hole. */
static void test_last_sector(void **state)
{
    struct image_options options = { .path = path };
    struct reader reader;
    struct error err;

    (void)state;
    for (int is_hole = 0; is_hole < 2; is_hole++) {
        CASE(is_hole ? "hole" : "data");
        assert_int_equal(truncate(path, 8 << 20), 0);
        assert_int_equal(truncate(path, (off_t)FILE_BYTES), 0);
        memset(want + (8 << 20), 0, DISK_BYTES - (8 << 20));
        if (!is_hole) {
            int fd = open(path, O_WRONLY);

            want[FILE_BYTES - 1] = 7;
            assert_int_equal(pwrite(fd, "\7", 1, (off_t)FILE_BYTES - 1), 1);
            assert_int_equal(close(fd), 0);
        }
        assert_int_equal(reader_open(&reader, &options, &err), 0);
        reader.want = want;
        if (reader_start(&reader, DISK_BYTES - 512, 512, &err) < 0 ||
            reader_finish(&reader, &err) < 0 ||
            reader_run(&reader, want, &err) < 0)
            fail_msg("%s", err.text);
        reader_close(&reader);
    }
}

/* A file that grows within its last sector is not the same disk. */
static void test_grown_within_a_sector(void **state)
{
    struct image_options options = { .path = path };
    struct image *first, *second;
    struct error err;

    (void)state;
    assert_int_equal(image_open(&options, &first, &err), 0);
    assert_int_equal(truncate(path, (off_t)FILE_BYTES + 1), 0);
    options.like = first;
    assert_int_equal(image_open(&options, &second, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    image_close(first);
    assert_int_equal(truncate(path, (off_t)FILE_BYTES), 0);
}

/* Mapped and known to be data, then cut off: an error, never zeros. */
static void test_shrunk_while_open(void **state)
{
    struct image_options options = { .path = path };
    struct reader reader;
    struct error err;

    (void)state;
    if (reader_open(&reader, &options, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(truncate(path, 1 << 12), 0);
    assert_int_equal(reader_start(&reader, 1 << 12, 4096, &err), 0);
    assert_int_equal(reader_finish(&reader, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    assert_int_equal(err.offset, 1 << 12);
    assert_non_null(strstr(err.text, "has become shorter"));
    reader_close(&reader);
}

static void test_another_size_than_the_first(void **state)
{
    struct image_options options = { .path = path };
    struct image *first, *second;
    struct error err;

    (void)state;
    assert_int_equal(image_open(&options, &first, &err), 0);
    assert_int_equal(truncate(path, 12345), 0);
    options.like = first;
    assert_int_equal(image_open(&options, &second, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    image_close(first);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *path;
        enum error_kind kind;
        const char *want;
    } cases[] = {
        { "/nonexistent/disk", ERROR_USAGE, "No such file" },
        { "/dev/null/disk", ERROR_USAGE, "Not a directory" },
        { "/dev/null", ERROR_SOURCE_IO,
          "neither a regular file nor a block device" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct image_options options = { .path = cases[i].path };
        struct image *img;
        struct error err;

        CASE(cases[i].path);
        assert_int_equal(image_open(&options, &img, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        if (!strstr(err.text, cases[i].want))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_was_written),
        cmocka_unit_test(test_last_sector),
        cmocka_unit_test(test_grown_within_a_sector),
        cmocka_unit_test(test_another_size_than_the_first),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_shrunk_while_open),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
