/* What a peer can cause again and again fills no log. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "unit.h"

static unsigned lines;
static char last[1024];

static void take(void *opaque, enum cw_log_level level, const char *line)
{
    (void)opaque, (void)level;
    lines++;
    snprintf(last, sizeof(last), "%s", line);
}

static int begin(void **state)
{
    (void)state;
    lines = 0;
    log_open(take, NULL, CW_LOG_WARN);
    return 0;
}

static void test_burst(void **state)
{
    struct log_limit limit = { 0 };
    uint64_t start_ns = clock_now_ns();
    unsigned seconds;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        log_line_limited(&limit, CW_LOG_WARN, "refused %u", i);
    seconds = (unsigned)((clock_now_ns() - start_ns) / CLOCK_SECOND_NS);
    assert_in_range(lines, 20, 21 + seconds);
    assert_int_equal(limit.dropped > 0, true);

    /* A second later one is logged, and says what was dropped. */
    limit.full_ns -= CLOCK_SECOND_NS;
    limit.dropped = 312;
    log_line_limited(&limit, CW_LOG_WARN, "refused %s", "again");
    assert_string_equal(last, "refused again (and 312 like it before)");
    assert_int_equal(limit.dropped, 0);
}

/* Places do not share a limit, and a level that is not logged costs nothing. */
static void test_apart(void **state)
{
    struct log_limit limit = { 0 }, other = { 0 };

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        log_line_limited(&limit, CW_LOG_WARN, "flood");
    log_line_limited(&other, CW_LOG_WARN, "one line");
    assert_string_equal(last, "one line");
    other = (struct log_limit){ 0 };
    log_line_limited(&other, CW_LOG_DEBUG, "not logged");
    assert_int_equal(other.full_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_burst, begin),
        cmocka_unit_test_setup(test_apart, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
