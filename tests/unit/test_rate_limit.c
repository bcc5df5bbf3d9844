/* A rate holds over any mix of sizes, and pauses are not made up for. */
#include <stdlib.h>

#include "base/clock.h"
#include "job/rate_limit.h"
#include "unit.h"

static void test_rate(void **state)
{
    struct rate_limit pace = { .bytes_per_second = 1000000 };
    uint64_t now_ns = 5 * CLOCK_SECOND_NS, sent = 0;
    unsigned seed = 7;

    (void)state;
    while (now_ns < 15 * CLOCK_SECOND_NS) {
        uint64_t bytes = 1 + (uint64_t)rand_r(&seed) % 100000;

        uint64_t begin_ns = rate_limit_admit(&pace, bytes, now_ns);

        now_ns = begin_ns > now_ns ? begin_ns : now_ns;
        sent += bytes;
    }
    assert_in_range(sent, 9900000, 10400000);
}

#define CREDIT_NS (CLOCK_SECOND_NS / 4)

static void test_no_saving_up(void **state)
{
    struct rate_limit pace = { .bytes_per_second = 1000 };
    uint64_t hour_ns = 3600 * CLOCK_SECOND_NS;

    (void)state;
    assert_int_equal(rate_limit_admit(&pace, 1000, 100), 0);
    assert_int_equal(rate_limit_admit(&pace, 1, 200), CLOCK_SECOND_NS);
    /* An hour of silence buys a moment. */
    assert_int_equal(rate_limit_admit(&pace, 1000, hour_ns),
                     hour_ns - CREDIT_NS);
    assert_int_equal(rate_limit_admit(&pace, 1, hour_ns),
                     hour_ns - CREDIT_NS + CLOCK_SECOND_NS);
}

/* Late by less than the credit, every time: it is made up for. */
static void test_lateness(void **state)
{
    struct rate_limit pace = { .bytes_per_second = 1000000 };
    uint64_t now_ns = 5 * CLOCK_SECOND_NS, sent = 0;
    unsigned seed = 9;

    (void)state;
    while (now_ns < 15 * CLOCK_SECOND_NS) {
        uint64_t begin_ns = rate_limit_admit(&pace, 100000, now_ns);

        now_ns = begin_ns > now_ns ? begin_ns : now_ns;
        now_ns += (uint64_t)rand_r(&seed) % (200 * CLOCK_MS_NS);
        sent += 100000;
    }
    assert_in_range(sent, 9500000, 10500000);
}

static void test_change(void **state)
{
    struct rate_limit pace = { .bytes_per_second = 1000 };
    uint64_t hour_ns = 3600 * CLOCK_SECOND_NS;

    (void)state;
    rate_limit_admit(&pace, 3600 * 1000, hour_ns);
    rate_limit_set(&pace, 2000); /* the hour that was to come is forgotten */
    assert_int_equal(rate_limit_admit(&pace, 2000, hour_ns),
                     hour_ns - CREDIT_NS);
    assert_int_equal(rate_limit_admit(&pace, 1, hour_ns),
                     hour_ns - CREDIT_NS + CLOCK_SECOND_NS);
    rate_limit_set(&pace, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_limit_admit(&pace, UINT64_MAX, hour_ns),
                         hour_ns - CREDIT_NS);
}

/* At a low rate in small pieces, never below a TLS record. */
static void test_piece(void **state)
{
    struct rate_limit pace = { .bytes_per_second = 0 };

    (void)state;
    assert_true(rate_limit_piece(&pace) == SIZE_MAX);
    rate_limit_set(&pace, 65536);
    assert_int_equal(rate_limit_piece(&pace), 16384);
    rate_limit_set(&pace, 4194304);
    assert_int_equal(rate_limit_piece(&pace), 1048576);
    rate_limit_set(&pace, 1);
    assert_int_equal(rate_limit_piece(&pace), 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_piece),        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_no_saving_up), cmocka_unit_test(test_lateness),
        cmocka_unit_test(test_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
