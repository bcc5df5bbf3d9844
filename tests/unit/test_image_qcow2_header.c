/* The gate: one field wrong at a time, each refused by its name. */
#include "helpers/tiny_qcow2.h"
#include "image/qcow2/header.h"
#include "unit.h"

static struct tiny tiny;

static void set(size_t at, unsigned width, uint64_t value)
{
    switch (width) {
    case 1: tiny.bytes[at] = (uint8_t)value; break;
    case 4: put_be32(tiny.bytes + at, (uint32_t)value); break;
    case 8: put_be64(tiny.bytes + at, value); break;
    default: fail();
    }
}

static void test_fields(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        unsigned width;
        uint64_t value;
        const char *want; /* NULL: accepted */
    } cases[] = {
        /* clang-format off */
        { "as it is",             4,   4, 3,              NULL },
        { "magic",                0,   4, 0x514649fa,     "magic" },
        { "version 1",            4,   4, 1,              "version 1 of QCOW" },
        { "version 4",            4,   4, 4,              "version 4" },
        { "clusters of 256",      20,  4, 8,              "cluster size 2^8" },
        { "clusters of 4 MiB",    20,  4, 22,             "cluster size 2^22" },
        { "AES",                  32,  4, 1,              "encrypted (AES)" },
        { "LUKS",                 32,  4, 2,              "encrypted (LUKS)" },
        { "other encryption",     32,  4, 9,              "unknown method" },
        { "dirty",                72,  8, 1,              NULL },
        { "corrupt",              72,  8, 2,              "marked corrupt" },
        { "data file",            72,  8, 4,              "external data file" },
        { "zstd bit, no type",    72,  8, 8,              "disagree" },
        { "extended L2",          72,  8, 16,             NULL },
        { "unknown incompatible", 72,  8, 1 << 5,         "incompatible bit 5" },
        { "highest bit",          72,  8, UINT64_C(1) << 63, "bit 63" },
        { "unknown compatible",   80,  8, UINT64_C(1) << 40, NULL },
        { "unknown autoclear",    88,  8, UINT64_C(1) << 40, NULL },
        { "refcount order 6",     96,  4, 6,              NULL },
        { "refcount order 7",     96,  4, 7,              "refcount order 7" },
        { "header of 96",         100, 4, 96,             "header length 96" },
        { "header of 105",        100, 4, 105,            "header length 105" },
        { "header of 112",        100, 4, 112,            NULL },
        { "header of 120",        100, 4, 120,            NULL },
        { "header of a cluster",  100, 4, TINY_CLUSTER,   NULL },
        { "header beyond it",     100, 4, TINY_CLUSTER + 8, "header length" },
        { "no L1",                36,  4, 0,              "too small" },
        { "L1 of 32 MiB",         36,  4, 1 << 22,        "beyond the file" },
        { "L1 larger",            36,  4, (1 << 22) + 1,  "larger than 32 MiB" },
        { "L1 at 0",              40,  8, 0,              "not aligned" },
        { "L1 not aligned",       40,  8, 512,            "not aligned" },
        { "L1 outside",           40,  8, TINY_BYTES,     "beyond the file" },
        { "L1 far outside",       40,  8, UINT64_C(1) << 63, "beyond the file" },
        { "larger disk",          24,  8, UINT64_C(1) << 40, "too small" },
        { "insane disk",          24,  8, UINT64_MAX,     "not possible" },
        { "backing length only",  16,  4, 10,             "backing file name" },
        { "backing offset only",  8,   8, 512,            "backing file name" },
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct qcow2_header header;
        struct error err = { 0 };
        int r;

        CASE(cases[i].name);
        tiny_init(&tiny);
        set(cases[i].at, cases[i].width, cases[i].value);
        r = qcow2_header_read(&tiny.host, &header, &err);
        if (!cases[i].want) {
            assert_int_equal(r, 0);
            continue;
        }
        assert_int_equal(r, -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
        if (!strstr(err.text, cases[i].want))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].want);
    }
}

static void test_what_it_reads(void **state)
{
    struct qcow2_header header;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    set(24, 8, TINY_DISK + 511);
    set(72, 8, 1 | 8 | 16);
    set(100, 4, 112);
    set(104, 1, 1);
    assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), 0);
    assert_int_equal(header.version, 3);
    assert_int_equal(header.virtual_bytes, TINY_DISK); /* whole sectors */
    assert_int_equal(header.cluster_bytes, TINY_CLUSTER);
    assert_int_equal(header.compression, QCOW2_ZSTD);
    assert_int_equal(header.subclusters, 32);
    assert_int_equal(header.l2_entries, TINY_CLUSTER / 16);
    assert_true(header.is_dirty);
}

static void test_version_2_has_no_features(void **state)
{
    struct qcow2_header header;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    set(4, 4, 2);
    set(72, 8, 0); /* an extension may stand here, and is none */
    set(96, 4, 99);
    set(100, 4, 99);
    assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), 0);
    assert_int_equal(header.header_bytes, 72);
    assert_int_equal(header.l2_entries, TINY_CLUSTER / 8);
}

static void test_backing_name_is_told(void **state)
{
    struct qcow2_header header;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    set(8, 8, 512);
    set(16, 4, 11);
    memcpy(tiny.bytes + 512, "/etc/\x1bshadow", 11);
    assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), 0);
    assert_string_equal(header.backing_name, "/etc/?shado");
}

static void test_unknown_feature_is_named(void **state)
{
    struct qcow2_header header;
    struct error err;
    uint8_t *row = tiny.bytes + 104 + 8;

    (void)state;
    tiny_init(&tiny);
    set(72, 8, UINT64_C(1) << 9);
    set(104, 4, 0x6803f857);
    set(108, 4, 96);
    row[48 + 1] = 9;
    memcpy(row + 48 + 2, "time travel", 11);
    assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), -1);
    assert_non_null(strstr(err.text, "\"time travel\" (incompatible bit 9)"));
}

static void test_extension_cut_off(void **state)
{
    struct qcow2_header header;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    set(104, 4, 0x12345678);
    set(108, 4, TINY_CLUSTER);
    assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), -1);
    assert_non_null(strstr(err.text, "0x12345678"));
}

/* Whatever the length, no byte outside the file is asked for. */
static void test_every_short_file(void **state)
{
    struct qcow2_header header;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    for (uint64_t size = 0; size <= TINY_CLUSTER; size++) {
        tiny.host.size_bytes = size;
        /* Naming a feature reads on behind the fields. */
        set(72, 8, size % 2 ? UINT64_C(1) << 20 : 0);
        set(100, 4, size % 3 ? 104 : TINY_CLUSTER);
        /* So may the name of a backing file stand. */
        set(8, 8, size % 4 ? 0 : 112);
        set(16, 4, size % 4 ? 0 : 1000);
        assert_int_equal(qcow2_header_read(&tiny.host, &header, &err), -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_what_it_reads),
        cmocka_unit_test(test_version_2_has_no_features),
        cmocka_unit_test(test_backing_name_is_told),
        cmocka_unit_test(test_unknown_feature_is_named),
        cmocka_unit_test(test_extension_cut_off),
        cmocka_unit_test(test_every_short_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
