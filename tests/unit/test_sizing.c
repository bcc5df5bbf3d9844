#include "plan/sizing.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

/* What a controller computes for the same volumes. */
static void test_usable(void **state)
{
    static const struct {
        uint64_t volume;
        uint32_t ppm;
        uint64_t want;
    } cases[] = {
        { GIB, 60000, 1012924416 },
        { 256 * MIB, 60000, 252706816 },
        { 2 * GIB, 60000, 2025848832 },
        { GIB, 0, GIB },
        { GIB - 1, 0, GIB - MIB },
        { MIB - 1, 0, 0 },
        { 0, 55000, 0 },
        { UINT64_MAX, 0, UINT64_MAX - MIB + 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(sizing_usable(cases[i].volume, cases[i].ppm),
                         cases[i].want);
    /* No overflow inside: 4296 times the volume is not 64 bits. */
    assert_true(sizing_usable(UINT64_MAX, UINT32_MAX) < UINT64_MAX / 4295);
}

static void test_required(void **state)
{
    static const struct {
        uint64_t disk;
        uint32_t ppm;
        bool overflow;
        uint64_t want;
    } cases[] = {
        { GIB, 55000, false, 1132797625 },
        { GIB, 60000, false, 1138166334 },
        { 100 * GIB, 55000, false, UINT64_C(113279762432) },
        { 1, 55000, false, 1106248 },
        { MIB, 0, false, MIB },
        { MIB + 1, 0, false, 2 * MIB },
        { 0, 55000, false, 0 },
        { UINT64_MAX - MIB + 1, 0, false, UINT64_MAX - MIB + 1 },
        { UINT64_MAX - MIB + 2, 0, true, 0 },
        { UINT64_MAX - MIB + 1, 1, true, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = 0;

        assert_int_equal(sizing_required(&got, cases[i].disk, cases[i].ppm),
                         cases[i].overflow);
        if (!cases[i].overflow)
            assert_int_equal(got, cases[i].want);
    }
}

/* A volume of required(disk) always takes the disk, and barely. */
static void test_required_and_usable_agree(void **state)
{
    static const uint32_t ppms[] = { 0, 1, 55000, 60000, 150000, 999999 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ppms); i++)
        for (uint64_t disk = MIB; disk < 64 * TIB; disk = disk * 3 + MIB) {
            uint64_t volume;

            assert_false(sizing_required(&volume, disk, ppms[i]));
            assert_true(sizing_usable(volume, ppms[i]) >= disk);
            /* Both round up: by less than 1 + (1 + overhead) bytes. */
            assert_true(sizing_usable(volume - 3, ppms[i]) < disk);
        }
}

static const struct {
    const char *name;
    struct sizing_facts facts;
    enum error_kind want;
    uint64_t disk, need, usable, shortfall, volume;
} plans[] = {
    /* clang-format off */
    { "exact fit",
      { .virtual_bytes = GIB, .available_bytes = 1132797625, .overhead_ppm = 55000 },
      ERROR_NONE, GIB, 1132797625, GIB, 0, 1132797625 },
    { "short",
      { .virtual_bytes = GIB, .available_bytes = 1132797623, .overhead_ppm = 55000 },
      ERROR_NO_SPACE, GIB, 1132797625, GIB - MIB, 2, 1132797625 },
    { "no overhead, one byte short",
      { .virtual_bytes = GIB, .available_bytes = GIB - 1 },
      ERROR_NO_SPACE, GIB, GIB, GIB - MIB, 1, GIB },
    { "no overhead, exact",
      { .virtual_bytes = GIB, .available_bytes = GIB },
      ERROR_NONE, GIB, GIB, GIB, 0, GIB },
    { "odd disk is rounded up",
      { .virtual_bytes = 10 * MIB + 512, .available_bytes = 11 * MIB - 1 },
      ERROR_NO_SPACE, 10 * MIB + 512, 11 * MIB, 10 * MIB, 1, 11 * MIB },
    { "overcommit",
      { .virtual_bytes = GIB, .available_bytes = MIB, .overhead_ppm = 55000, .overcommit = true },
      ERROR_NONE, GIB, 1132797625, 0, 1132797625 - MIB, 1132797625 },
    { "empty disk on a full volume",
      { .virtual_bytes = 0, .available_bytes = 0, .overhead_ppm = 55000 },
      ERROR_NONE, 0, 0, 0, 0, 0 },

    /* The filesystem took 30 MB of a volume of required(1 GiB). */
    { "overhead already taken",
      { .virtual_bytes = GIB, .available_bytes = 1102797625, .overhead_ppm = 55000, .taken_bytes = 30000000 },
      ERROR_NONE, GIB, 1102797625, GIB, 0, 1132797625 },
    { "volume one byte smaller than its overhead allows",
      { .virtual_bytes = GIB, .available_bytes = 1102797623, .overhead_ppm = 55000, .taken_bytes = 30000000 },
      ERROR_NO_SPACE, GIB, 1102797625, GIB - MIB, 2, 1132797625 },
    { "other files in a large volume",
      { .virtual_bytes = GIB, .available_bytes = GIB, .overhead_ppm = 55000, .taken_bytes = TIB },
      ERROR_NONE, GIB, GIB, GIB, 0, 1132797625 },
    { "other files, one byte short: this volume must grow",
      { .virtual_bytes = GIB, .available_bytes = GIB - 1, .overhead_ppm = 55000, .taken_bytes = TIB },
      ERROR_NO_SPACE, GIB, GIB, GIB - MIB, 1, TIB + GIB + 1 },

    { "sparse: the volume holds it, not the free space",
      { .virtual_bytes = GIB, .available_bytes = 900 * MIB, .overhead_ppm = 55000, .taken_bytes = 1132797625 - 900 * MIB, .is_sparse = true },
      ERROR_NONE, GIB, 0, GIB, 0, 1132797625 },
    { "sparse: its data fits exactly",
      { .virtual_bytes = GIB, .available_bytes = 900 * MIB, .overhead_ppm = 55000, .taken_bytes = GIB, .is_sparse = true, .data_bytes = 900 * MIB },
      ERROR_NONE, GIB, 900 * MIB, 1823 * MIB, 0, 1132797625 },
    { "sparse: its data does not fit",
      { .virtual_bytes = GIB, .available_bytes = 900 * MIB, .taken_bytes = GIB, .is_sparse = true, .data_bytes = 900 * MIB + 1 },
      ERROR_NO_SPACE, GIB, 900 * MIB + 1, 1924 * MIB, 1, 1924 * MIB + 1 },
    { "sparse: the volume is too small",
      { .virtual_bytes = GIB, .available_bytes = 900 * MIB, .overhead_ppm = 55000, .taken_bytes = 1132797623 - 900 * MIB, .is_sparse = true },
      ERROR_NO_SPACE, GIB, 1132797625, GIB - MIB, 2, 1132797625 },

    { "larger than the source",
      { .virtual_bytes = GIB, .wanted_bytes = 2 * GIB, .available_bytes = 3 * GIB },
      ERROR_NONE, 2 * GIB, 2 * GIB, 3 * GIB, 0, 2 * GIB },
    { "same as the source",
      { .virtual_bytes = GIB, .wanted_bytes = GIB, .available_bytes = GIB },
      ERROR_NONE, GIB, GIB, GIB, 0, GIB },
    { "smaller than the source",
      { .virtual_bytes = GIB, .wanted_bytes = GIB - 1, .available_bytes = GIB },
      ERROR_USAGE, 0, 0, 0, 0, 0 },
    { "grow to the volume",
      { .virtual_bytes = 512 * MIB, .grow = true, .available_bytes = GIB, .overhead_ppm = 60000 },
      ERROR_NONE, 1012924416, 1073699881, 1012924416, 0, 1073699881 },
    { "grow, at most wanted",
      { .virtual_bytes = 512 * MIB, .wanted_bytes = 600 * MIB, .grow = true, .available_bytes = GIB },
      ERROR_NONE, 600 * MIB, 600 * MIB, GIB, 0, 600 * MIB },
    { "grow never shrinks",
      { .virtual_bytes = GIB, .grow = true, .available_bytes = GIB, .overhead_ppm = 60000 },
      ERROR_NO_SPACE, GIB, 1138166334, 1012924416, 1138166334 - GIB, 1138166334 },

    { "part of a sector",
      { .virtual_bytes = MIB + 1, .available_bytes = 2 * MIB },
      ERROR_NONE, MIB + 512, 2 * MIB, 2 * MIB, 0, 2 * MIB },
    { "wanted part of a sector",
      { .virtual_bytes = MIB, .wanted_bytes = 2 * MIB - 1, .available_bytes = 2 * MIB },
      ERROR_NONE, 2 * MIB, 2 * MIB, 2 * MIB, 0, 2 * MIB },
    { "device, part of a sector",
      { .virtual_bytes = MIB + 1, .available_bytes = MIB + 512, .is_block_device = true },
      ERROR_NONE, MIB + 512, MIB + 512, MIB + 512, 0, MIB + 512 },
    { "device, exact odd size",
      { .virtual_bytes = GIB + 512, .available_bytes = GIB + 512, .overhead_ppm = 55000, .is_block_device = true },
      ERROR_NONE, GIB + 512, GIB + 512, GIB + 512, 0, GIB + 512 },
    { "device, one byte short",
      { .virtual_bytes = GIB, .available_bytes = GIB - 1, .is_block_device = true },
      ERROR_NO_SPACE, GIB, GIB, GIB - 1, 1, GIB },
    { "device, grow",
      { .virtual_bytes = GIB, .available_bytes = GIB + 512, .grow = true, .is_block_device = true },
      ERROR_NONE, GIB + 512, GIB + 512, GIB + 512, 0, GIB + 512 },

    { "larger than off_t",
      { .virtual_bytes = UINT64_C(1) << 63, .available_bytes = UINT64_MAX, .is_block_device = true },
      ERROR_FORMAT, UINT64_C(1) << 63, UINT64_C(1) << 63, UINT64_MAX, 0, UINT64_C(1) << 63 },
    { "unalignable",
      { .virtual_bytes = UINT64_MAX, .available_bytes = UINT64_MAX },
      ERROR_FORMAT, UINT64_MAX, 0, 0, 0, 0 },
    { "overhead overflows",
      { .virtual_bytes = INT64_MAX, .available_bytes = INT64_MAX, .overhead_ppm = UINT32_MAX },
      ERROR_FORMAT, INT64_MAX, 0, 0, 0, 0 },
    { "volume overflows",
      { .virtual_bytes = 1, .available_bytes = UINT64_MAX, .taken_bytes = 1 },
      ERROR_FORMAT, 512, 0, 0, 0, 0 },
    /* clang-format on */
};

static void test_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        struct sizing_verdict v;
        struct error err = { 0 };

        CASE(plans[i].name);
        assert_int_equal(sizing_plan(&plans[i].facts, &v, &err),
                         plans[i].want == ERROR_NONE ? 0 : -1);
        assert_int_equal(err.kind, plans[i].want);
        assert_int_equal(v.disk_bytes, plans[i].disk);
        assert_int_equal(v.need_bytes, plans[i].need);
        assert_int_equal(v.usable_bytes, plans[i].usable);
        assert_int_equal(v.shortfall_bytes, plans[i].shortfall);
        assert_int_equal(v.volume_bytes, plans[i].volume);
        if (plans[i].want == ERROR_NO_SPACE)
            assert_int_equal(v.need_bytes - v.have_bytes, v.shortfall_bytes);
    }
}

/* Growing the volume to what the refusal names makes the disk fit, also
 * where the filesystem keeps more than the overhead that was asked for. */
static void test_the_volume_named_is_enough(void **state)
{
    static const uint64_t available = 900 * MIB;

    (void)state;
    for (uint64_t kept = 0; kept < 200 * MIB; kept += 7 * MIB + 1)
        for (uint64_t files = 0; files < 2 * GIB; files += 300 * MIB) {
            struct sizing_facts facts = { .virtual_bytes = GIB + 512,
                                          .available_bytes = available,
                                          .overhead_ppm = 55000,
                                          .taken_bytes = kept + files,
                                          .kept_bytes = kept };
            uint64_t volume = available + kept + files, growth, more;
            struct sizing_verdict v;
            struct error err = { 0 };

            assert_int_equal(sizing_plan(&facts, &v, &err), -1);
            growth = v.volume_bytes - volume;
            more = growth * kept / volume;
            facts.available_bytes += growth - more;
            facts.taken_bytes += more;
            facts.kept_bytes += more;
            assert_int_equal(sizing_plan(&facts, &v, &err), 0);
        }
}

static void test_refusal_text(void **state)
{
    struct sizing_facts facts = {
        .virtual_bytes = 100 * GIB,
        .available_bytes = UINT64_C(100931731456),
        .overhead_ppm = 55000,
    };
    struct sizing_verdict v;
    struct error err = { 0 };

    (void)state;
    assert_int_equal(sizing_plan(&facts, &v, &err), -1);
    assert_string_equal(
        err.text,
        "disk of 107374182400 bytes does not fit: needs 113279762432 with "
        "5.5 % overhead, volume has 100931731456 (usable 95668928512): short "
        "by 12348030976; request a volume of at least 113279762432 bytes");

    facts.is_block_device = true;
    assert_int_equal(sizing_plan(&facts, &v, &err), -1);
    assert_string_equal(
        err.text,
        "disk of 107374182400 bytes does not fit: device has 100931731456: "
        "short by 6442450944; request a volume of at least 107374182400 "
        "bytes");
}

static void test_format_ppm(void **state)
{
    static const struct {
        uint32_t ppm;
        const char *want;
    } cases[] = {
        { 0, "0 %" },          { 55000, "5.5 %" },
        { 60000, "6 %" },      { 1, "0.0001 %" },
        { 10500, "1.05 %" },   { 1000000, "100 %" },
        { 100100, "10.01 %" }, { UINT32_MAX, "429496.7295 %" },
    };
    char buf[24];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(sizing_format_ppm(buf, sizeof(buf), cases[i].ppm),
                            cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usable),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_required_and_usable_agree),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_the_volume_named_is_enough),
        cmocka_unit_test(test_refusal_text),
        cmocka_unit_test(test_format_ppm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
