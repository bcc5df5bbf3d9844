/* A rate holds over any mix of sizes, and pauses are not made up for. */
#include <stdlib.h>

#include "base/clock.h"
#include "flow/pace.h"
#include "unit.h"

static void test_rate(void **state)
{
    struct pace pace = { .bytes_per_second = 1000000 };
    uint64_t now_ns = 5 * CLOCK_SECOND_NS, sent = 0;
    unsigned seed = 7;

    (void)state;
    while (now_ns < 15 * CLOCK_SECOND_NS) {
        uint64_t bytes = 1 + (uint64_t)rand_r(&seed) % 100000;

        now_ns = pace_admit(&pace, bytes, now_ns);
        sent += bytes;
    }
    assert_in_range(sent, 9900000, 10200000);
}

static void test_no_saving_up(void **state)
{
    struct pace pace = { .bytes_per_second = 1000 };

    (void)state;
    assert_int_equal(pace_admit(&pace, 1000, 100), 100);
    assert_int_equal(pace_admit(&pace, 1, 200), CLOCK_SECOND_NS + 100);
    /* An hour of silence buys nothing. */
    assert_int_equal(pace_admit(&pace, 1000, 3600 * CLOCK_SECOND_NS),
                     3600 * CLOCK_SECOND_NS);
    assert_int_equal(pace_admit(&pace, 1, 3600 * CLOCK_SECOND_NS),
                     3601 * CLOCK_SECOND_NS);
}

static void test_change(void **state)
{
    struct pace pace = { .bytes_per_second = 1000 };

    (void)state;
    assert_int_equal(pace_admit(&pace, 3600 * 1000, 100), 100);
    pace_set(&pace, 2000); /* the hour that was to come is forgotten */
    assert_int_equal(pace_admit(&pace, 2000, 200), 200);
    assert_int_equal(pace_admit(&pace, 1, 200), CLOCK_SECOND_NS + 200);
    pace_set(&pace, 0);
    assert_int_equal(pace_admit(&pace, UINT64_MAX, 300), 300);
    assert_int_equal(pace_admit(&pace, UINT64_MAX, 300), 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_no_saving_up),
        cmocka_unit_test(test_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
