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

/* Lines that peer causes in seconds from at_ns on, ten a second. */
static unsigned flood(struct log_limit *limit, const char *peer, uint64_t at_ns,
                      unsigned seconds)
{
    unsigned taken = 0, dropped;

    for (unsigned i = 0; i < 10 * seconds; i++)
        taken += log_limit_take(limit, peer, at_ns + i * CLOCK_SECOND_NS / 10,
                                &dropped);
    return taken;
}

static void test_one_peer(void **state)
{
    const uint64_t at_ns = 100 * CLOCK_SECOND_NS - CLOCK_SECOND_NS / 20;
    struct log_limit limit = { 0 };
    unsigned dropped;

    (void)state;
    assert_in_range(flood(&limit, "10.0.0.7:1", 0, 100), 100, 105);
    /* Another port is no other peer, another address is one. */
    assert_false(log_limit_take(&limit, "10.0.0.7:2", at_ns, &dropped));
    assert_true(log_limit_take(&limit, "10.0.0.8:1", at_ns, &dropped));
    assert_in_range(dropped, 1, 20);
    assert_true(log_limit_take(&limit, "10.0.0.8:1", at_ns, &dropped));
    assert_int_equal(dropped, 0);
}

/* A crowd, each from its own address, has one budget. */
static void test_crowd(void **state)
{
    struct log_limit limit = { 0 };
    unsigned taken = 0, dropped;
    char peer[32];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(peer, sizeof(peer), "10.0.%u.%u:1", i / 250, i % 250);
        taken += log_limit_take(&limit, peer, CLOCK_SECOND_NS, &dropped);
    }
    assert_int_equal(taken, LOG_LIMIT_BURST);
    assert_true(
        log_limit_take(&limit, "10.1.0.1:1", 2 * CLOCK_SECOND_NS, &dropped));
    assert_int_equal(dropped, 1000 - LOG_LIMIT_BURST);
}

static void test_text(void **state)
{
    struct log_limit limit = { .dropped = 312 };

    (void)state;
    log_line_limited(&limit, "::1:9", CW_LOG_WARN, "refused %s", "again");
    assert_string_equal(last, "refused again; 312 more like this");
    log_line_limited(&limit, "::1:9", CW_LOG_WARN, "refused %s", "again");
    assert_string_equal(last, "refused again");
    assert_int_equal(lines, 2);
}

/* Places do not share a limit, and a level that is not logged costs nothing. */
static void test_apart(void **state)
{
    struct log_limit limit = { 0 }, other = { 0 };

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        log_line_limited(&limit, "", CW_LOG_WARN, "flood");
    log_line_limited(&other, "", CW_LOG_WARN, "one line");
    assert_string_equal(last, "one line");
    other = (struct log_limit){ 0 };
    log_line_limited(&other, "", CW_LOG_DEBUG, "not logged");
    assert_int_equal(other.full_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_peer),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test_setup(test_text, begin),
        cmocka_unit_test_setup(test_apart, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
