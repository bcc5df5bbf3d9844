#include "base/clock.h"
#include "plan/bottleneck.h"
#include "unit.h"

#define S   CLOCK_SECOND_NS
#define GIB (UINT64_C(1) << 30)

static void test_who_limits(void **state)
{
    static const struct {
        const char *name;
        struct bottleneck_facts facts;
        const char *want;
    } cases[] = {
        { "slow target disk",
          { 10 * S, 10 * GIB, 1, S / 2, 6 * S, 7 * S, S, 0 },
          "target writes: 70 % of the time waiting there; alone, source "
          "could do 2.5 GiB/s, target 1.1 GiB/s" },
        { "slow source disk",
          { 10 * S, 10 * GIB, 2, 12 * S, S, S, 15 * S, 0 },
          "source reads: 60 % of the time waiting there; alone, source "
          "could do 1 GiB/s, target 4 GiB/s" },
        { "slow network",
          { 10 * S, GIB, 1, 0, 9 * S, 0, 8 * S, 0 },
          "network: 80 % of the time waiting there; alone, source could do "
          "1 GiB/s, target 512 MiB/s" },
        { "a rate",
          { 10 * S, GIB, 1, 0, 9 * S, 0, 8 * S, 7 * S },
          "the rate asked for: 70 % of the time waiting there" },
        { "a rate that the network keeps below",
          { 10 * S, GIB, 1, 0, 9 * S, 0, 8 * S, 3 * S },
          "network: 80 % of the time waiting there; alone, source could do "
          "1 GiB/s, target 512 MiB/s" },
        { "in turn, the source more often",
          { 10 * S, GIB, 1, 0, 3 * S, 0, 6 * S, 0 },
          "CPU of the source: 60 % of the time waiting there; alone, source "
          "could do 146.2 MiB/s, target 256 MiB/s" },
        { "in turn, the target more often",
          { 10 * S, GIB, 1, 0, 5 * S, 0, 4 * S, 0 },
          "CPU of the target: 50 % of the time waiting there; alone, source "
          "could do 204.7 MiB/s, target 170.6 MiB/s" },
        { "target busy",
          { 10 * S, 10 * GIB, 1, 0, 5 * S, 0, 0, 0 },
          "CPU of the target: 50 % of the time waiting there; alone, source "
          "could do 2 GiB/s, target 1 GiB/s" },
        { "source busy",
          { 10 * S, 10 * GIB, 1, 0, 0, 0, 5 * S, 0 },
          "CPU of the source: 50 % of the time waiting there; alone, source "
          "could do 1 GiB/s, target 2 GiB/s" },
        { "nobody waits",
          { 10 * S, 10 * GIB, 1, 0, 0, 0, 0, 0 },
          "CPU of both ends; alone, source could do 1 GiB/s, target 1 "
          "GiB/s" },
        { "nothing moved", { S, 0, 1, 0, S, 0, S, 0 }, "" },
        { "no time", { 0, GIB, 1, 0, 0, 0, 0, 0 }, "" },
        { "no lanes", { S, GIB, 0, 0, 0, 0, 0, 0 }, "" },
    };
    char buf[160];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        assert_string_equal(
            bottleneck_format(&cases[i].facts, buf, sizeof(buf)),
            cases[i].want);
    }
    bottleneck_format(&cases[0].facts, buf, 20);
    assert_int_equal(strlen(buf), 19); /* cut, not overrun */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_limits) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
