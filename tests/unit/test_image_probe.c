/* Content says what an image is; nothing else does. */
#include "image/probe.h"
#include "unit.h"

static void test_magics(void **state)
{
    static const struct {
        const char *name;
        size_t at, len;
        const char *magic;
        enum probe_kind want;
    } cases[] = {
        /* clang-format off */
        { "raw",                0,  0, "",                     PROBE_RAW },
        { "QCOW2",              0,  4, "QFI\xfb",              PROBE_QCOW2 },
        { "QCOW version 1",     0,  8, "QFI\xfb\0\0\0\1",      PROBE_FOREIGN },
        { "gzip",               0,  3, "\x1f\x8b\x08",         PROBE_GZIP },
        { "xz",                 0,  6, "\xfd" "7zXZ\0",        PROBE_XZ },
        { "VMDK",               0,  4, "KDMV",                 PROBE_FOREIGN },
        { "VHDX",               0,  8, "vhdxfile",             PROBE_FOREIGN },
        { "VHD",                0,  8, "conectix",             PROBE_FOREIGN },
        { "VDI",               64,  4, "\x7f\x10\xda\xbe",     PROBE_FOREIGN },
        { "QED",                0,  4, "QED\0",                PROBE_FOREIGN },
        { "Parallels",          0, 16, "WithoutFreeSpace",     PROBE_FOREIGN },
        { "zstd",               0,  4, "\x28\xb5\x2f\xfd",     PROBE_ZSTD },
        { "bzip2",              0,  3, "BZh",                  PROBE_FOREIGN },
        { "tar (OVA)",        257,  5, "ustar",                PROBE_FOREIGN },
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t head[PROBE_HEAD_BYTES] = { 0 };
        size_t end = cases[i].at + cases[i].len;
        struct probe got;

        CASE(cases[i].name);
        memcpy(head + cases[i].at, cases[i].magic, cases[i].len);
        got = probe_content(head, sizeof(head), NULL, 0);
        assert_int_equal(got.kind, cases[i].want);
        assert_string_equal(got.name, cases[i].name);

        /* One byte short of it is something else. */
        if (end > 0) {
            got = probe_content(head, end - 1, NULL, 0);
            assert_string_not_equal(got.name, cases[i].name);
        }
    }
}

static void test_fixed_vhd_by_its_footer(void **state)
{
    uint8_t head[PROBE_HEAD_BYTES] = { 0 }, tail[PROBE_TAIL_BYTES] = { 0 };
    struct probe got;

    (void)state;
    memcpy(tail, "conectix", 8);
    got = probe_content(head, sizeof(head), tail, sizeof(tail));
    assert_string_equal(got.name, "VHD (fixed)");
    got = probe_content(head, sizeof(head), tail, sizeof(tail) - 1);
    assert_int_equal(got.kind, PROBE_RAW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magics),
        cmocka_unit_test(test_fixed_vhd_by_its_footer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
