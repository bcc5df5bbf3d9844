#include "base/parse.h"
#include "unit.h"

static void test_bytes(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "4096", true, 4096 },
        { "1MiB", true, 1048576 },
        { "2Gi", true, UINT64_C(2) << 30 },
        { "1500M", true, 1500000000 },
        { "10kB", true, 10000 },
        { "10K", true, 10000 },
        { "1.5GiB", true, UINT64_C(3) << 29 },
        { "0.5KiB", true, 512 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "16385Pi", false, 0 },
        { "0.3KiB", false, 0 },
        { "1.2.3", false, 0 },
        { "-1", false, 0 },
        { "", false, 0 },
        { "MiB", false, 0 },
        { "1 MiB", false, 0 },
        { "1MiBs", false, 0 },
        { "1X", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = 0;

        CASE(cases[i].text);
        assert_int_equal(parse_bytes(cases[i].text, &got), cases[i].ok);
        assert_int_equal(got, cases[i].want);
    }
}

/* Values as k8s.io/apimachinery's resource.Quantity has them. */
static void test_quantity(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "1073741824", true, 1073741824 },
        { "+5", true, 5 },
        { "2Gi", true, UINT64_C(2) << 30 },
        { "1.1Gi", true, 1181116007 }, /* ...006.4 */
        { "0.5Ki", true, 512 },
        { "1500M", true, 1500000000 },
        { "5k", true, 5000 },
        { "2E", true, UINT64_C(2000000000000000000) },
        { "3Ei", true, UINT64_C(3) << 60 },
        { "1e9", true, 1000000000 },
        { "1.5E3", true, 1500 },
        { "1e-1", true, 1 },
        { "10737418240000m", true, 10737418240 },
        { "1500m", true, 2 },
        { "1n", true, 1 },
        { "0m", true, 0 },
        { "16Ei", false, 0 },
        { "1e20", false, 0 },
        { "20E", false, 0 },
        { "1K", false, 0 },
        { "1ki", false, 0 },
        { "1GiB", false, 0 },
        { "1GB", false, 0 },
        { "1e", false, 0 },
        { "1e5x", false, 0 },
        { "1mm", false, 0 },
        { "-1", false, 0 },
        { "", false, 0 },
        { "Gi", false, 0 },
        { "much", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = 0;

        CASE(cases[i].text);
        assert_int_equal(parse_quantity(cases[i].text, &got), cases[i].ok);
        assert_int_equal(got, cases[i].want);
    }
}

static void test_time(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t want_ms;
    } cases[] = {
        { "1970-01-01T00:00:00Z", true, 0 },
        { "2026-11-21T03:30:00Z", true, 1795231800000 },
        { "2026-11-21t03:30:00z", true, 1795231800000 },
        { "2026-11-21T04:30:00+01:00", true, 1795231800000 },
        { "2026-11-20T22:00:00-05:30", true, 1795231800000 },
        { "2026-11-21T03:30:00.250Z", true, 1795231800250 },
        { "2026-11-21T03:30:00.2509999999999Z", true, 1795231800250 },
        { "2000-02-29T00:00:00Z", true, 951782400000 },
        { "2100-03-01T00:00:00Z", true, 4107542400000 },
        { "2016-12-31T23:59:60Z", true, 1483228800000 },
        { "2261-12-31T23:59:59Z", true, 9214646399000 },
        { "1969-12-31T23:59:59Z", false, 0 },
        { "1970-01-01T00:00:00+00:01", false, 0 },
        { "2262-01-01T00:00:00Z", false, 0 },
        { "0001-01-01T00:00:00Z", false, 0 },
        { "2100-02-29T00:00:00Z", false, 0 },
        { "2026-13-01T00:00:00Z", false, 0 },
        { "2026-00-01T00:00:00Z", false, 0 },
        { "2026-01-00T00:00:00Z", false, 0 },
        { "2026-01-01T24:00:00Z", false, 0 },
        { "2026-01-01T00:60:00Z", false, 0 },
        { "2026-01-01T00:00:61Z", false, 0 },
        { "2026-01-01T00:00:00", false, 0 },
        { "2026-01-01T00:00:00.Z", false, 0 },
        { "2026-01-01T00:00:00Zx", false, 0 },
        { "2026-01-01T00:00:00+1:00", false, 0 },
        { "2026-01-01T00:00:00+24:00", false, 0 },
        { "2026-01-01 00:00:00Z", false, 0 },
        { "2026-01-01T00Z00Z00Z", false, 0 },
        { "2026-01-01", false, 0 },
        { "tomorrow", false, 0 },
        { "", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = 0;

        CASE(cases[i].text);
        assert_int_equal(parse_time(cases[i].text, &got), cases[i].ok);
        assert_int_equal(got / 1000000, cases[i].want_ms);
    }
}

static void test_ppm(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t want;
    } cases[] = {
        { "0.055", true, 55000 },  { "0.06", true, 60000 },
        { "5.5%", true, 55000 },   { "0", true, 0 },
        { "1", true, 1000000 },    { "0.000001", true, 1 },
        { "0.0000001", false, 0 }, { "5000", false, 0 },
        { "0.05x", false, 0 },     { "", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t got = 0;

        CASE(cases[i].text);
        assert_int_equal(parse_ppm(cases[i].text, &got), cases[i].ok);
        assert_int_equal(got, cases[i].want);
    }
}

static void test_duration_and_count(void **state)
{
    uint64_t v = 7;

    (void)state;
    assert_true(parse_duration("250ms", &v));
    assert_int_equal(v, 250000000);
    assert_true(parse_duration("1.5m", &v));
    assert_int_equal(v, UINT64_C(90000000000));
    assert_true(parse_duration("30", &v));
    assert_int_equal(v, UINT64_C(30000000000));
    assert_false(parse_duration("30d", &v));
    assert_true(parse_count("12", &v));
    assert_int_equal(v, 12);
    assert_false(parse_count("1.0", &v));
    assert_false(parse_count("12a", &v));
    assert_int_equal(v, 12);
}

static void test_format(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } cases[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1 KiB" },
        { 1536, "1.5 KiB" },
        { UINT64_C(3) << 29, "1.5 GiB" },
        { (UINT64_C(1) << 30) - 1, "1023.9 MiB" },
        { UINT64_MAX, "15.9 EiB" },
    };
    char buf[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(format_bytes(buf, sizeof(buf), cases[i].bytes),
                            cases[i].want);
}

static void test_format_time(void **state)
{
    char buf[FORMAT_TIME_BYTES];
    uint64_t back;

    (void)state;
    assert_string_equal(format_time(buf, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(format_time(buf, UINT64_C(1798761599999999999)),
                        "2026-12-31T23:59:59.999Z");
    assert_true(parse_time(buf, &back));
    assert_int_equal(back, UINT64_C(1798761599999000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_time),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_quantity),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_ppm),
        cmocka_unit_test(test_duration_and_count),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
