#include "base/jsonin.h"
#include "unit.h"

static void test_text(void **state)
{
    static const struct {
        const char *name, *json, *want; /* NULL: refused */
    } cases[] = {
        { "plain", "\"abc\"", "abc" },
        { "behind space", " \t\r\n\"x\"", "x" },
        { "escapes", "\"\\\"\\\\\\/\\n\\t\"", "\"\\/\n\t" },
        { "unicode", "\"\\u0041\\u00e4\\u20AC\"", "A\303\244\342\202\254" },
        { "fits exactly", "\"1234567\"", "1234567" },
        { "one too long", "\"12345678\"", NULL },
        { "a NUL", "\"a\\u0000b\"", NULL },
        { "no end", "\"abc", NULL },
        { "cut escape", "\"abc\\", NULL },
        { "cut unicode", "\"\\u12", NULL },
        { "unknown escape", "\"\\x\"", NULL },
        { "a bare newline", "\"a\nb\"", NULL },
        { "a number", "1", NULL },
        { "nothing", "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jsonin in = { cases[i].json };
        char out[8];
        bool is_good = jsonin_text(&in, out, sizeof(out));

        CASE(cases[i].name);
        assert_int_equal(is_good, cases[i].want != NULL);
        if (!is_good)
            continue;
        assert_string_equal(out, cases[i].want);
        assert_true(jsonin_end(&in));
    }
}

static void test_number(void **state)
{
    static const struct {
        const char *json;
        bool is_good;
        uint64_t want;
    } cases[] = {
        { "0", true, 0 },
        { " 18446744073709551615 ", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "-1", false, 0 },
        { "1.5", false, 0 },
        { "1e3", false, 0 },
        { "01", false, 0 },
        { "", false, 0 },
        { "\"1\"", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jsonin in = { cases[i].json };
        uint64_t out;

        CASE(cases[i].json);
        assert_int_equal(jsonin_number(&in, &out), cases[i].is_good);
        if (cases[i].is_good)
            assert_int_equal(out, cases[i].want);
    }
}

static void test_skip(void **state)
{
    static const struct {
        const char *json;
        bool is_good;
    } cases[] = {
        { "{\"a\": [1, {\"b\": null}, \"]\"], \"c\": -1.5e3} ,", true },
        { "[] ,", true },
        { "true,", true },
        { "\"a\\\"b\",", true },
        { "[1,", false },
        { "[}", false },
        { "{\"a", false },
        { "", false },
        { "nonsense", false },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", false }, /* 34 deep */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jsonin in = { cases[i].json };

        CASE(cases[i].json);
        assert_int_equal(jsonin_skip(&in), cases[i].is_good);
        if (cases[i].is_good)
            assert_true(jsonin_mark(&in, ','));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_skip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
