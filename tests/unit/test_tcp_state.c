/* When lost segments are those that are too large for the path. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tcp_state.h"
#include "unit.h"

#define BEGIN_NS (100 * CLOCK_SECOND_NS)

static const struct tcp_state stuck = {
    .acked_bytes = 900,
    .unacked_bytes = 100000,
    .segment_bytes = 1448,
    .timeouts = 5,
    .is_in_flight = true,
};

/* Looks at BEGIN_NS, and again so much later: the second answer. */
static bool later(const struct tcp_state *state, bool is_alive,
                  uint64_t seconds)
{
    struct tcp_path path = { 0 };

    assert_false(tcp_path_is_black_hole(&path, state, is_alive, BEGIN_NS));
    return tcp_path_is_black_hole(&path, state, is_alive,
                                  BEGIN_NS + seconds * CLOCK_SECOND_NS);
}

static void test_black_hole(void **state)
{
    struct tcp_state old = stuck;

    (void)state;
    assert_true(later(&stuck, true, 6));
    old.acked_bytes = 5000000; /* it has worked: more evidence is needed */
    assert_false(later(&old, true, 6));
    old.timeouts = 8;
    assert_true(later(&old, true, 6));
}

static void test_something_else(void **state)
{
    struct tcp_state s = stuck;

    (void)state;
    assert_false(later(&s, false, 60)); /* nothing passes at all */
    assert_false(later(&s, true, 2));
    s.is_in_flight = false; /* the peer's window is closed: a slow disk */
    assert_false(later(&s, true, 60));
    s = stuck;
    s.timeouts = 4;
    assert_false(later(&s, true, 60));
    s = stuck;
    s.segment_bytes = 512; /* smaller there is nothing to try */
    assert_false(later(&s, true, 60));
}

static void test_moves(void **state)
{
    struct tcp_path path = { 0 };
    struct tcp_state s = stuck;

    (void)state;
    for (unsigned i = 0; i < 60; i++, s.acked_bytes++)
        assert_false(tcp_path_is_black_hole(&path, &s, true,
                                            BEGIN_NS + i * CLOCK_SECOND_NS));
}

static void test_next_segment(void **state)
{
    struct tcp_state s = stuck;

    (void)state;
    assert_int_equal(tcp_path_next_segment(&s), 1024);
    s.segment_bytes = 1012; /* 1024 less the timestamps */
    assert_int_equal(tcp_path_next_segment(&s), 512);
}

static void test_no_tcp(void **state)
{
    struct tcp_state s = stuck;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    tcp_state_read(fds[0], &s);
    assert_int_equal(s.acked_bytes + s.unacked_bytes + s.timeouts, 0);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_black_hole),
        cmocka_unit_test(test_something_else),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_next_segment),
        cmocka_unit_test(test_no_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
