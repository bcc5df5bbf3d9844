/* What a device holds and is called, before it is overwritten. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loopdev.h"
#include "sink/blkid_probe.h"
#include "sink/device_info.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)

static int make_file(size_t size_bytes)
{
    char name[] = "look-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
    return fd;
}

/* Bytes that make a signature: of LUKS, and of nothing known. */
static void test_contents(void **state)
{
    static const char mbr[66 + 1] = /* one of 1 MiB, at 1 MiB */
        "\0\0\0\0\203\0\0\0\0\010\0\0\0\010\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\x55\xaa";
    static const char ext[] = "\x53\xef";
    static const struct {
        const char *name;
        size_t offset;
        const char *bytes;
        size_t len;
        bool is_blank;
        const char *want;
    } cases[] = {
        { "blank", 0, "", 0, true, "nothing" },
        { "unknown at the beginning", 0, "x", 1, false, "unknown kind" },
        { "unknown at the end", 8 * MIB - 1, "x", 1, false, "unknown kind" },
        { "LUKS", 0, "LUKS\xba\xbe\0\1", 8, false, "crypto_LUKS" },
        { "MBR", 446, mbr, sizeof(mbr) - 1, false,
          "a dos partition table with 1 partition" },
        { "half an ext", 1080, ext, 2, false, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = make_file(8 * MIB);
        char text[160];

        CASE(cases[i].name);
        assert_int_equal(
            pwrite(fd, cases[i].bytes, cases[i].len, (off_t)cases[i].offset),
            (ssize_t)cases[i].len);
        assert_int_equal(blkid_probe_describe(fd, 8 * MIB, text, sizeof(text)),
                         cases[i].is_blank);
        assert_non_null(strstr(text, cases[i].want));
        assert_true(text[0] != '\0');
        close(fd);
    }
}

/* The label is cut and cleaned: it comes from the disk. */
static void test_label(void **state)
{
    static const char fat[] = "\xeb\x3c\x90mkfs.fat\0\2\4\4\0\2\0\2\0\x40\xf8"
                              "\x10\0\x20\0\2\0\0\0\0\0\0\0\0\0\x80\0\x29"
                              "\x78\x56\x34\x12"
                              "EV\033L LABEL FAT16   ";
    int fd = make_file(8 * MIB);
    char text[160];

    (void)state;
    assert_int_equal(pwrite(fd, fat, sizeof(fat) - 1, 0),
                     (ssize_t)sizeof(fat) - 1);
    assert_int_equal(pwrite(fd, "\x55\xaa", 2, 510), 2);
    assert_false(blkid_probe_describe(fd, 8 * MIB, text, sizeof(text)));
    for (const char *p = text; *p != '\0'; p++)
        assert_true(*p >= ' ' && *p <= '~');
    assert_non_null(strstr(text, "vfat filesystem"));
    close(fd);
}

static void put(const char *name, const char *text)
{
    FILE *stream = fopen(name, "we");

    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static void test_identify(void **state)
{
    static const char *const made[] = {
        "sda/device/model", "sda/device/wwid", "sda/device", "sda/sda1", "sda",
        "dm/dm/name",       "dm/dm",           "dm",
    };
    char root[] = "sysfs-XXXXXX";
    struct device_info look = { 0 };

    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("sda", 0700) | mkdir("sda/device", 0700) |
                         mkdir("sda/sda1", 0700) | mkdir("dm", 0700) |
                         mkdir("dm/dm", 0700),
                     0);
    put("sda/device/model", "  Samsung SSD 870\t \n");
    put("sda/device/wwid", "naa.5002538f\n");
    put("dm/dm/name", "vg-\033disk\n");

    device_info_identify("sda", &look);
    assert_string_equal(look.model, "Samsung SSD 870");
    assert_string_equal(look.serial, "naa.5002538f");
    look = (struct device_info){ 0 };
    device_info_identify("sda/sda1", &look); /* a partition: of its disk */
    assert_string_equal(look.model, "Samsung SSD 870");
    look = (struct device_info){ 0 };
    device_info_identify("dm", &look);
    assert_string_equal(look.model, "device-mapper vg-disk");
    assert_string_equal(look.serial, "");
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        assert_int_equal(remove(made[i]), 0);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir(root), 0);
}

static void test_device(void **state)
{
    struct loopdev loop;
    struct device_info look;
    struct error err;

    (void)state;
    if (!loopdev_open(&loop, 4 * MIB, 512, 0xa5, 0))
        skip();
    assert_int_equal(device_info_read(loop.path, &look, &err), 0);
    assert_true(look.is_block_device);
    assert_false(look.is_blank);
    assert_int_equal(look.size_bytes, 4 * MIB);
    assert_string_equal(look.contents, "data of an unknown kind");
    assert_non_null(strstr(look.model, "loop over "));
    loopdev_close(&loop);
}

static void test_no_device(void **state)
{
    struct device_info look;
    struct error err;

    (void)state;
    assert_int_equal(device_info_read("no-such-file", &look, &err), 0);
    assert_false(look.is_block_device);
    assert_int_equal(device_info_read("/dev/null", &look, &err), -1);
    assert_int_equal(err.kind, ERROR_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),  cmocka_unit_test(test_label),
        cmocka_unit_test(test_identify),  cmocka_unit_test(test_device),
        cmocka_unit_test(test_no_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
