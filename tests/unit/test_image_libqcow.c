/* The second opinion: asked only where it can have one, and believed. */
#include "helpers/tiny_qcow2.h"
#include "image/qcow2/cross_check.h"
#include "image/qcow2/libqcow.h"
#include "unit.h"

static struct tiny tiny;

static void make_image(void)
{
    tiny_init(&tiny);
    for (unsigned i = 0; i < 4; i++) {
        tiny_l2(&tiny, i, (4 + i) * TINY_CLUSTER);
        memset(tiny.bytes + (4 + i) * TINY_CLUSTER, (int)i + 1, TINY_CLUSTER);
    }
    tiny_l2(&tiny, 1, (4 + 1) * TINY_CLUSTER | 1); /* zero: never asked for */
}

static int look(unsigned samples, struct error *err)
{
    struct qcow2_summary summary;
    struct qcow2_header header;
    struct qcow2_map map = { 0 };
    int r;

    assert_int_equal(qcow2_header_read(&tiny.host, &header, err), 0);
    assert_int_equal(qcow2_map_init(&map, &tiny.host, &header, err), 0);
    assert_int_equal(qcow2_check(&map, &summary, err), 0);
    r = qcow2_cross_check_look(&map, &tiny.host, &summary, samples, "tiny",
                               err);
    qcow2_map_fini(&map);
    return r;
}

static void test_library_works(void **state)
{
    char why[128];

    (void)state;
    if (!qcow2_libqcow_works(why, sizeof(why))) {
        print_message("    %s\n", why);
        skip();
    }
    assert_non_null(strstr(why, "works"));
}

static void test_what_it_knows(void **state)
{
    static const struct {
        const char *name;
        struct qcow2_header header;
        bool want;
    } cases[] = {
        { "plain", { .header_bytes = 104, .subclusters = 1 }, true },
        { "lazy",
          { .header_bytes = 112, .subclusters = 1, .compatible = 1 },
          true },
        { "later", { .header_bytes = 120, .subclusters = 1 }, false },
        { "unknown bit",
          { .header_bytes = 104, .subclusters = 1, .compatible = 2 },
          false },
        { "subclusters", { .header_bytes = 104, .subclusters = 32 }, false },
        { "zstd",
          { .header_bytes = 112, .subclusters = 1, .compression = QCOW2_ZSTD },
          false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        assert_int_equal(qcow2_libqcow_knows(&cases[i].header), cases[i].want);
    }
}

static void test_samples(void **state)
{
    static const struct {
        unsigned samples, min, max;
    } cases[] = { { 0, 0, 0 }, { 1, 1, 1 }, { 3, 2, 3 }, { 100, 3, 3 } };
    struct error err = { 0 };
    char why[128];

    (void)state;
    if (!qcow2_libqcow_works(why, sizeof(why)))
        skip();
    make_image();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int compared = look(cases[i].samples, &err);

        if (compared < 0)
            fail_msg("%s", err.text);
        assert_in_range(compared, cases[i].min, cases[i].max);
    }
}

static unsigned reads_of_data;

/* Every second time the data is asked for, it is another. */
static int fickle_read(void *opaque, void *buf, size_t len, uint64_t offset,
                       struct error *err)
{
    if (tiny_read(opaque, buf, len, offset, err) < 0)
        return -1;
    if (offset >= 4 * TINY_CLUSTER)
        *(uint8_t *)buf ^= (uint8_t)(reads_of_data++ & 1);
    return 0;
}

static void test_difference_is_an_error(void **state)
{
    struct error err = { 0 };
    char why[128];

    (void)state;
    if (!qcow2_libqcow_works(why, sizeof(why)))
        skip();
    make_image();
    tiny.host.read = fickle_read;
    assert_int_equal(look(100, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_non_null(strstr(err.text, "differently"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_works),
        cmocka_unit_test(test_what_it_knows),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_difference_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
