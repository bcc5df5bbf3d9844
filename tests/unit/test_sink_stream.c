/* A file whose size shows only at its end. */
#include <sys/stat.h>

#include "sinkplace.h"

/* As a disk of data_bytes of 'D' that comes in one piece. */
static int stream(struct sink *sink, uint64_t data_bytes, uint64_t disk_bytes,
                  uint64_t min_bytes, struct error *err)
{
    uint64_t max_bytes;
    int r = sink_prepare_stream(sink, min_bytes, &max_bytes, err);

    if (r == 0)
        r = sink_fill(sink, data_bytes, disk_bytes, err);
    if (r == 0)
        r = sink_settle(sink, disk_bytes, min_bytes, err);
    if (r == 0)
        r = sink_finish(sink, err);
    return r == 0 ? sink_commit(sink, err) : -1;
}

static void test_sizes(void **state)
{
    static const struct {
        uint64_t data_bytes, disk_bytes, min_bytes, want_bytes;
    } cases[] = {
        { MIB, 2 * MIB, 0, 2 * MIB },
        { 0, 0, 0, 0 },
        { 4097, 4097, 0, 4097 },
        { MIB + 1, 2 * MIB + 77, MIB, 2 * MIB + 77 },
        { MIB + 1, 2 * MIB + 77, 3 * MIB, 3 * MIB },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (int wish = CW_PREALLOCATE_OFF; wish <= CW_PREALLOCATE_AUTO;
             wish++) {
            struct sink_options options = usual();
            struct error err = { 0 };
            struct sink *sink;

            options.overwrite = true;
            options.preallocate = (enum cw_preallocate)wish;
            assert_int_equal(sink_open(&options, &sink, &err), 0);
            if (stream(sink, cases[i].data_bytes, cases[i].disk_bytes,
                       cases[i].min_bytes, &err) < 0)
                fail_msg("%s", err.text);
            sink_close(sink);
            assert_disk(cases[i].data_bytes, cases[i].want_bytes);
            if (wish != CW_PREALLOCATE_OFF)
                assert_true(allocated_of(place.path) >= cases[i].want_bytes);
        }
}

/* What was written for nothing is gone, and the next one begins anew. */
static void test_discard(void **state)
{
    struct sink_options options = usual();
    struct error err = { 0 };
    uint64_t max_bytes;
    struct sink *sink;

    (void)state;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare_stream(sink, 0, &max_bytes, &err), 0);
    ring_failure = ENOSPC;
    assert_int_equal(sink_fill(sink, 2 * MIB, 2 * MIB, &err), -1);
    sink_discard(sink);
    assert_int_equal(allocated_of(place.partial), 0);
    assert_int_equal(stream(sink, MIB, MIB, 0, &err), 0);
    sink_close(sink);
    assert_disk(MIB, MIB);
    assert_false(exists(place.partial));
}

static void test_discarded_leaves_nothing(void **state)
{
    struct sink_options options = usual();
    struct error err = { 0 };
    uint64_t max_bytes;
    struct sink *sink;

    (void)state;
    assert_int_equal(sink_open(&options, &sink, &err), 0);
    assert_int_equal(sink_prepare_stream(sink, 0, &max_bytes, &err), 0);
    assert_int_equal(sink_fill(sink, 2 * MIB, 2 * MIB, &err), 0);
    sink_discard(sink);
    sink_close(sink);
    assert_false(exists(place.partial));
    assert_false(exists(place.path));
}

#define CASE_OF(test, set_up) \
    cmocka_unit_test_setup_teardown(test, set_up, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_OF(test_sizes, setup),
        CASE_OF(test_discard, setup),
        CASE_OF(test_discarded_leaves_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
