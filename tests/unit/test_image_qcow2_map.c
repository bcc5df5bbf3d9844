/* The walk: each kind of entry, and each that no sound image has. */
#include "helpers/tiny_qcow2.h"
#include "image/qcow2/check.h"
#include "image/qcow2/map.h"
#include "unit.h"

#define COMPRESSED (UINT64_C(1) << 62)
#define COPIED     (UINT64_C(1) << 63)
/* Sectors after the first, in the entry of a compressed cluster. */
#define SECTORS(n) ((uint64_t)(n) << (62 - (TINY_BITS - 8)))
#define AT(n)      ((n)*TINY_CLUSTER)

static struct tiny tiny;

static int open_map(struct qcow2_map *map, struct error *err)
{
    struct qcow2_header header;

    if (qcow2_header_read(&tiny.host, &header, err) < 0)
        return -1;
    return qcow2_map_init(map, &tiny.host, &header, err);
}

static void test_runs(void **state)
{
    static const struct qcow2_run want[] = {
        { 0, 2 * TINY_CLUSTER, QCOW2_DATA, AT(4), 0 },
        { AT(2), TINY_CLUSTER, QCOW2_ZERO, 0, 0 },
        { AT(3), TINY_CLUSTER, QCOW2_COMPRESSED, AT(6) + 5, 1024 - 5 },
        { AT(4), TINY_CLUSTER - 512, QCOW2_DATA, AT(7), 0 },
    };
    struct qcow2_map map;
    struct qcow2_run run;
    struct error err;
    uint64_t at = 0;

    (void)state;
    tiny_init(&tiny);
    tiny_l2(&tiny, 0, AT(4) | COPIED);
    tiny_l2(&tiny, 1, AT(5));
    tiny_l2(&tiny, 2, 1);
    tiny_l2(&tiny, 3, COMPRESSED | SECTORS(1) | (AT(6) + 5));
    tiny_l2(&tiny, 4, AT(7) | COPIED);
    /* The last cluster is needed only as far as the disk goes. */
    tiny.host.size_bytes = TINY_BYTES - 512;
    assert_int_equal(open_map(&map, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(qcow2_map_at(&map, at, TINY_DISK, &run, &err), 0);
        assert_memory_equal(&run, &want[i], sizeof(run));
        at += run.length;
    }
    assert_int_equal(at, TINY_DISK);

    /* From the middle, and cut at the end asked for. */
    assert_int_equal(qcow2_map_at(&map, 1000, 3000, &run, &err), 0);
    assert_int_equal(run.offset, 1000);
    assert_int_equal(run.length, 2000);
    assert_int_equal(run.host_offset, AT(4) + 1000);
    qcow2_map_fini(&map);
}

static void test_no_l2_table_is_one_run(void **state)
{
    struct qcow2_map map;
    struct qcow2_run run;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    tiny_l1(&tiny, 0, 0);
    assert_int_equal(open_map(&map, &err), 0);
    assert_int_equal(qcow2_map_at(&map, 77, TINY_DISK, &run, &err), 0);
    assert_int_equal(run.kind, QCOW2_UNALLOCATED);
    assert_int_equal(run.length, TINY_DISK - 77);
    qcow2_map_fini(&map);
}

static void test_bad_entries(void **state)
{
    static const struct {
        const char *name;
        uint64_t l1, l2;
        uint32_t version;
        const char *want;
    } cases[] = {
        /* clang-format off */
        { "L1 reserved low",     AT(2) | 1,               0, 3, "reserved" },
        { "L1 reserved high",    AT(2) | COMPRESSED,      0, 3, "reserved" },
        { "L1 not aligned",      AT(2) | 512,             0, 3, "not aligned" },
        { "L1 beyond",           AT(8),                   0, 3, "beyond" },
        { "L1 far beyond",       UINT64_C(1) << 55,       0, 3, "beyond" },
        { "L2 reserved low",     AT(2), AT(3) | 2,           3, "reserved" },
        { "L2 reserved high",    AT(2), AT(3) | UINT64_C(1) << 61, 3, "reserved" },
        { "L2 not aligned",      AT(2), AT(3) | 1024,        3, "not aligned" },
        { "zero bit, version 2", AT(2), AT(3) | 1,           2, "reserved" },
        { "data beyond",         AT(2), AT(8),               3, "beyond" },
        { "data far beyond",     AT(2), UINT64_C(1) << 55,   3, "beyond" },
        { "packed in header",    AT(2), COMPRESSED | 64,     3, "header" },
        { "packed beyond",       AT(2), COMPRESSED | AT(8),  3, "beyond" },
        { "data on the L1",      AT(2), AT(1),               3, "used twice" },
        { "data on the L2",      AT(2), AT(2),               3, "used twice" },
        { "packed on the L2",    AT(2), COMPRESSED | (AT(2) + 9), 3, "used twice" },
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct qcow2_summary summary;
        struct qcow2_map map = { 0 };
        struct error err = { 0 };

        CASE(cases[i].name);
        tiny_init(&tiny);
        put_be32(tiny.bytes + 4, cases[i].version);
        tiny_l1(&tiny, 0, cases[i].l1);
        tiny_l2(&tiny, 2, cases[i].l2);
        assert_int_equal(open_map(&map, &err), 0);
        assert_int_equal(qcow2_check(&map, &summary, &err), -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
        if (!strstr(err.text, cases[i].want))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].want);
        qcow2_map_fini(&map);
    }
}

static void test_cluster_used_twice(void **state)
{
    struct qcow2_summary summary;
    struct qcow2_map map;
    struct error err;

    (void)state;
    tiny_init(&tiny);
    tiny_l2(&tiny, 0, AT(5));
    tiny_l2(&tiny, 1, AT(4));
    tiny_l2(&tiny, 3, AT(5));
    assert_int_equal(open_map(&map, &err), 0);
    assert_int_equal(qcow2_check(&map, &summary, &err), -1);
    assert_non_null(strstr(err.text, "used twice"));

    /* Two packed clusters may share one. */
    tiny_l2(&tiny, 0, COMPRESSED | AT(5));
    tiny_l2(&tiny, 3, COMPRESSED | (AT(5) + 600));
    qcow2_map_fini(&map);
    assert_int_equal(open_map(&map, &err), 0);
    assert_int_equal(qcow2_check(&map, &summary, &err), 0);
    assert_int_equal(summary.compressed_clusters, 2);
    assert_int_equal(summary.data_bytes, TINY_CLUSTER);
    assert_int_equal(summary.unallocated_bytes, 2 * TINY_CLUSTER - 512);
    qcow2_map_fini(&map);
}

static void set_extended(uint64_t entry, uint64_t bitmap)
{
    tiny_init(&tiny);
    put_be64(tiny.bytes + 72, 16);
    tiny_l2(&tiny, 0, entry);
    tiny_l2(&tiny, 1, bitmap);
}

static void test_subclusters(void **state)
{
    static const struct {
        unsigned count;
        enum qcow2_kind kind;
    } want[] = {
        { 2, QCOW2_UNALLOCATED }, { 3, QCOW2_DATA },         { 1, QCOW2_ZERO },
        { 1, QCOW2_DATA },        { 25, QCOW2_UNALLOCATED },
    };
    struct qcow2_summary summary;
    struct qcow2_map map;
    struct qcow2_run run;
    struct error err;
    uint64_t at = 0;

    (void)state;
    set_extended(AT(4), 0x5c | UINT64_C(0x20) << 32);
    assert_int_equal(open_map(&map, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(qcow2_map_at(&map, at, TINY_CLUSTER, &run, &err), 0);
        assert_int_equal(run.kind, want[i].kind);
        assert_int_equal(run.length, want[i].count * 512);
        if (run.kind == QCOW2_DATA)
            assert_int_equal(run.host_offset, AT(4) + at);
        at += run.length;
    }
    assert_int_equal(qcow2_check(&map, &summary, &err), 0);
    assert_int_equal(summary.data_bytes, 4 * 512);
    qcow2_map_fini(&map);
}

static void test_bad_subclusters(void **state)
{
    static const struct {
        const char *name;
        uint64_t entry, bitmap;
        const char *want;
    } cases[] = {
        { "both", AT(4), 1 | UINT64_C(1) << 32, "both data and zero" },
        { "nowhere", 0, 1, "data nowhere" },
        { "zero bit", AT(4) | 1, 0, "reserved" },
        { "packed", COMPRESSED | AT(4), 1, "has subclusters" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct qcow2_map map;
        struct qcow2_run run;
        struct error err;

        CASE(cases[i].name);
        set_extended(cases[i].entry, cases[i].bitmap);
        assert_int_equal(open_map(&map, &err), 0);
        assert_int_equal(qcow2_map_at(&map, 0, 512, &run, &err), -1);
        assert_non_null(strstr(err.text, cases[i].want));
        qcow2_map_fini(&map);
    }
}

/* A sound map or an error; never a run that leaves the file or the disk. */
static void walk(void)
{
    struct qcow2_summary summary;
    struct qcow2_map map = { 0 };
    struct error err = { 0 };

    if (open_map(&map, &err) == 0 && qcow2_check(&map, &summary, &err) == 0) {
        struct qcow2_run run;
        uint64_t at, end = map.header.virtual_bytes;

        for (at = 0; at < end; at += run.length) {
            assert_int_equal(qcow2_map_at(&map, at, end, &run, &err), 0);
            assert_true(run.length > 0 && run.length <= end - at);
            if (run.kind == QCOW2_DATA)
                assert_in_range(run.host_offset + run.length, 1,
                                tiny.host.size_bytes);
            if (run.kind == QCOW2_COMPRESSED)
                assert_in_range(run.host_offset + run.packed_bytes, 1,
                                tiny.host.size_bytes);
        }
    } else {
        assert_int_equal(err.kind, ERROR_FORMAT);
    }
    qcow2_map_fini(&map);
}

static void make_sound(void)
{
    tiny_init(&tiny);
    tiny_l2(&tiny, 0, AT(4) | COPIED);
    tiny_l2(&tiny, 1, AT(5) | 1);
    tiny_l2(&tiny, 2, COMPRESSED | SECTORS(3) | (AT(6) + 5));
    tiny_l2(&tiny, 4, AT(7) | COPIED);
}

static void test_every_bit_flipped(void **state)
{
    static const struct {
        uint64_t at, len;
    } parts[] = { { 0, 120 }, { AT(1), 16 }, { AT(2), 48 } };

    (void)state;
    make_sound();
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (uint64_t bit = 0; bit < parts[i].len * 8; bit++) {
            tiny.bytes[parts[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
            walk();
            tiny.bytes[parts[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
}

static void test_every_truncation(void **state)
{
    (void)state;
    make_sound();
    for (uint64_t size = 0; size < TINY_BYTES; size += 64) {
        tiny.host.size_bytes = size;
        walk();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_no_l2_table_is_one_run),
        cmocka_unit_test(test_bad_entries),
        cmocka_unit_test(test_cluster_used_twice),
        cmocka_unit_test(test_subclusters),
        cmocka_unit_test(test_bad_subclusters),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_every_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
