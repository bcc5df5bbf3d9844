/*
 * Socket buffers: asked for where the kernel's own sizing ends early, left
 * to it where the machine was told to go further.  In a network namespace of
 * its own, where the kernel's numbers may be changed.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tcp.h"
#include "unit.h"

#define MIB         (1 << 20)
#define ASKED_BYTES (8 * MIB) /* 4 MiB, as the kernel counts */
#define SKIPPED     77
#define SEND_SIZING "/proc/sys/net/ipv4/tcp_wmem"
#define TAKE_SIZING "/proc/sys/net/ipv4/tcp_rmem"

static int set_sizing(const char *path, int max)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "4096 131072 %d", max);
    int fd = open(path, O_WRONLY);
    int r = fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -1;

    if (fd >= 0)
        close(fd);
    return r;
}

/* Of a TCP socket tuned for role; what both hands have. */
static void tuned(enum conn_role role, int *send_bytes, int *take_bytes)
{
    struct conn_options options = { .role = role, .dead_peer_ms = 1000 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(int);
    struct error err;

    assert_true(fd >= 0);
    assert_int_equal(tcp_tune(fd, &options, &err), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, send_bytes, &len),
                     0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, take_bytes, &len),
                     0);
    close(fd);
}

/* Does the kernel grant it to whoever asks? */
static bool is_granted(int name)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), bytes = ASKED_BYTES / 2;
    socklen_t len = sizeof(bytes);

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, name, &bytes, len);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &bytes, &len), 0);
    close(fd);
    return bytes >= ASKED_BYTES;
}

static void test_asks_where_sizing_ends_early(void **state)
{
    int send_bytes, take_bytes;

    (void)state;
    assert_int_equal(set_sizing(SEND_SIZING, 4 * MIB), 0);
    assert_int_equal(set_sizing(TAKE_SIZING, 6 * MIB), 0);
    tuned(CONN_DATA, &send_bytes, &take_bytes);
    assert_int_equal(send_bytes >= ASKED_BYTES, is_granted(SO_SNDBUF));
    assert_int_equal(take_bytes >= ASKED_BYTES, is_granted(SO_RCVBUF));
}

static void test_leaves_a_tuned_machine_alone(void **state)
{
    int send_bytes, take_bytes;

    (void)state;
    assert_int_equal(set_sizing(SEND_SIZING, 64 * MIB), 0);
    assert_int_equal(set_sizing(TAKE_SIZING, 6 * MIB), 0);
    tuned(CONN_DATA, &send_bytes, &take_bytes);
    assert_in_range(send_bytes, 1, ASKED_BYTES - 1);
    assert_int_equal(take_bytes >= ASKED_BYTES, is_granted(SO_RCVBUF));

    assert_int_equal(set_sizing(TAKE_SIZING, 64 * MIB), 0);
    tuned(CONN_DATA, &send_bytes, &take_bytes);
    assert_in_range(take_bytes, 1, ASKED_BYTES - 1);
}

static void test_control_is_small(void **state)
{
    int send_bytes, take_bytes;

    (void)state;
    assert_int_equal(set_sizing(SEND_SIZING, 4 * MIB), 0);
    tuned(CONN_CONTROL, &send_bytes, &take_bytes);
    assert_in_range(send_bytes, 1, ASKED_BYTES - 1);
    assert_in_range(take_bytes, 1, ASKED_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_where_sizing_ends_early),
        cmocka_unit_test(test_leaves_a_tuned_machine_alone),
        cmocka_unit_test(test_control_is_small),
    };

    if (unshare(CLONE_NEWNET) < 0 || set_sizing(SEND_SIZING, 4 * MIB) < 0) {
        puts("skipped: needs root, for a network namespace");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
