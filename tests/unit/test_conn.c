#include <errno.h>
#include <netinet/tcp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "conn_pair.h"
#include "net/conn.h"
#include "tls/tls_private.h"

static struct pki pki;

static int setup(void **state)
{
    (void)state;
    pki_open(&pki);
    pki_make_usual(&pki);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_close(&pki);
    return 0;
}

static void assert_error(const struct error *err, enum error_kind kind,
                         const char *text)
{
    if (!strstr(err->text, text))
        fail_msg("wanted \"%s\", got \"%s\"", text, err->text);
    assert_int_equal(err->kind, kind);
}

static void assert_ok(int r, const struct error *err)
{
    if (r < 0)
        fail_msg("%s", err->text);
}

/* xorshift64: the same bytes on both sides from one seed. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void fill(uint8_t *buf, size_t len, uint64_t *seed)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)next_random(seed);
}

static void test_info(void **state)
{
    struct conn_info info;
    struct pair pair;

    (void)state;
    pair_open(&pair, &pki, CONN_CONTROL, "127.0.0.1");
    conn_get_info(pair.source.conn, &info);
    assert_string_equal(info.tls_version, "TLSv1.3");
    assert_string_equal(info.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(info.peer_name, "the target");
    assert_memory_equal(info.peer, "127.0.0.1:", 10);
    conn_get_info(pair.target.conn, &info);
    assert_string_equal(info.peer_name, "the source");
    assert_memory_equal(info.peer, "127.0.0.1:", 10);
    assert_true(conn_wire_sent(pair.source.conn) > 0);
    assert_int_equal(conn_wire_sent(pair.source.conn),
                     conn_wire_received(pair.target.conn));
    pair_close(&pair);
}

/* Every way to say "here": dual-stack, IPv6, a name. */
static void test_addresses(void **state)
{
    static const struct {
        const char *listen, *dial, *peer;
    } cases[] = {
        { "127.0.0.1", "127.0.0.1", "127.0.0.1:" },
        { "", "127.0.0.1", "127.0.0.1:" },
        { "::", "127.0.0.1", "127.0.0.1:" },
        { "::1", "::1", "[::1]:" },
        { "", "::1", "[::1]:" },
        { "", "localhost", "" },
    };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool has_ipv6 = fd >= 0 &&
                    bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

    (void)state;
    close(fd);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conn_info info;
        struct pair pair;

        CASE(cases[i].dial);
        if (strcmp(cases[i].dial, "::1") == 0 && !has_ipv6)
            continue;
        pair_init(&pair, CONN_DATA);
        pair_tls(&pki, "target", "ca", true, &pair.target);
        pair_tls(&pki, "source", "ca", false, &pair.source);
        pair_listen(&pair, cases[i].listen);
        snprintf(pair.addr.host, sizeof(pair.addr.host), "%s", cases[i].dial);
        pair_start(&pair);
        pair_dial(&pair);
        pair_join(&pair);
        assert_ok(pair.source.result, &pair.source.err);
        assert_ok(pair.target.result, &pair.target.err);
        conn_get_info(pair.target.conn, &info);
        assert_memory_equal(info.peer, cases[i].peer, strlen(cases[i].peer));
        pair_close(&pair);
    }
}

enum {
    ECHO_BYTES = 8 << 20,
    ECHO_MAX = 700000
};

/* Sends what it receives back in pieces of its own liking. */
static void *echo(void *opaque)
{
    struct pair *pair = opaque;
    struct end *end = &pair->target;
    uint64_t seed = 99;
    uint8_t *buf = malloc(ECHO_MAX);

    for (size_t left = ECHO_BYTES; left > 0;) {
        size_t n = 1 + next_random(&seed) % ECHO_MAX;

        if (n > left)
            n = left;
        if (conn_recv(end->conn, buf, n, &end->err) < 0 ||
            conn_send(end->conn, buf, n, &end->err) < 0 ||
            conn_flush(end->conn, &end->err) < 0) {
            end->result = -1;
            break;
        }
        left -= n;
    }
    free(buf);
    return NULL;
}

/* A second thread is not needed to receive: sizes stay below the buffers. */
static void test_echo(void **state)
{
    uint64_t seed = 7, sizes = 12345;
    uint8_t *sent = malloc(ECHO_BYTES), *got = malloc(ECHO_BYTES);
    size_t done = 0, received = 0;
    struct pair pair;
    struct error err;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    fill(sent, ECHO_BYTES, &seed);
    assert_int_equal(pthread_create(&pair.thread, NULL, echo, &pair), 0);
    while (received < ECHO_BYTES) {
        size_t n = next_random(&sizes) % 100000;

        if (n > ECHO_BYTES - done)
            n = ECHO_BYTES - done;
        assert_ok(conn_send(pair.source.conn, sent + done, n, &err), &err);
        done += n;
        if (next_random(&sizes) % 4 == 0 || done == ECHO_BYTES)
            assert_ok(conn_flush(pair.source.conn, &err), &err);
        for (;;) { /* as the control loop does */
            int r = conn_recv_some(pair.source.conn, got + received,
                                   ECHO_BYTES - received, &err);

            assert_ok(r, &err);
            if (r == 0)
                break;
            received += (size_t)r;
            if (received == ECHO_BYTES)
                break;
        }
    }
    pair_join(&pair);
    assert_ok(pair.target.result, &pair.target.err);
    assert_memory_equal(sent, got, ECHO_BYTES);
    assert_true(conn_wire_sent(pair.source.conn) > ECHO_BYTES);
    free(sent);
    free(got);
    pair_close(&pair);
}

/* Nothing moves before 256 KiB have gathered or conn_flush(). */
static void test_gathers(void **state)
{
    static uint8_t data[300 << 10];
    struct pair pair;
    struct error err;
    uint64_t before;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    before = conn_wire_sent(pair.source.conn);
    assert_ok(conn_send(pair.source.conn, data, 200 << 10, &err), &err);
    assert_int_equal(conn_wire_sent(pair.source.conn), before);
    assert_ok(conn_send(pair.source.conn, data, 100 << 10, &err), &err);
    assert_int_equal(conn_wire_sent(pair.source.conn), before + (256 << 10));
    assert_ok(conn_flush(pair.source.conn, &err), &err);
    assert_true(conn_wire_sent(pair.source.conn) > before + (300 << 10));
    assert_ok(conn_send(pair.source.conn, data, 0, &err), &err);
    assert_ok(conn_recv(pair.target.conn, data, sizeof(data), &err), &err);
    pair_close(&pair);
}

/* Counts the key changes that an end sends. */
static void count_updates(int is_sent, int version, int type, const void *buf,
                          size_t len, SSL *ssl, void *count)
{
    (void)version, (void)ssl;
    if (is_sent && type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const uint8_t *)buf == SSL3_MT_KEY_UPDATE)
        ++*(unsigned *)count;
}

static void test_changes_keys(void **state)
{
    unsigned count = 0;
    struct pair pair;
    struct error err;
    char got[8];

    (void)state;
    pair_init(&pair, CONN_CONTROL);
    pair_tls(&pki, "target", "ca", true, &pair.target);
    pair_tls(&pki, "source", "ca", false, &pair.source);
    assert_int_equal(pair.source.tls->rekey_records, 1 << 23);
    pair.source.tls->rekey_records = 3;
    SSL_CTX_set_msg_callback(pair.source.tls->ctx, count_updates);
    SSL_CTX_set_msg_callback_arg(pair.source.tls->ctx, &count);
    pair_listen(&pair, "127.0.0.1");
    pair_start(&pair);
    pair_dial(&pair);
    pair_join(&pair);
    assert_ok(pair.source.result, &pair.source.err);
    for (int i = 0; i < 8; i++)
        assert_ok(conn_send(pair.source.conn, &"abcdefgh"[i], 1, &err), &err);
    assert_ok(conn_flush(pair.source.conn, &err), &err);
    assert_int_equal(count, 2);
    assert_ok(conn_recv(pair.target.conn, got, sizeof(got), &err), &err);
    assert_memory_equal(got, "abcdefgh", 8);
    pair_close(&pair);
}

static void test_recv_some(void **state)
{
    struct pair pair;
    struct error err;
    struct pollfd pfd;
    char buf[16];

    (void)state;
    pair_open(&pair, &pki, CONN_CONTROL, "127.0.0.1");
    assert_int_equal(conn_recv_some(pair.target.conn, buf, 16, &err), 0);
    assert_ok(conn_send(pair.source.conn, "hello", 5, &err), &err);
    assert_ok(conn_flush(pair.source.conn, &err), &err);
    pfd = (struct pollfd){ .fd = conn_fd(pair.target.conn), .events = POLLIN };
    assert_int_equal(poll(&pfd, 1, 5000), 1);
    assert_int_equal(conn_recv_some(pair.target.conn, buf, 2, &err), 2);
    assert_int_equal(conn_recv_some(pair.target.conn, buf + 2, 14, &err), 3);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(conn_recv_some(pair.target.conn, buf, 16, &err), 0);

    conn_close(TAKE_PTR(pair.source.conn));
    assert_int_equal(poll(&pfd, 1, 5000), 1);
    assert_int_equal(conn_recv_some(pair.target.conn, buf, 16, &err), -1);
    assert_error(&err, ERROR_TEMPORARY, "the source closed it");
    pair_close(&pair);
}

static void *receive_one(void *opaque)
{
    struct end *end = opaque;
    char byte;

    end->result = conn_recv(end->conn, &byte, 1, &end->err);
    return NULL;
}

static void test_shutdown_wakes(void **state)
{
    struct timespec moment = { .tv_nsec = 30000000 };
    struct pair pair;
    struct error err;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    assert_int_equal(
        pthread_create(&pair.thread, NULL, receive_one, &pair.target), 0);
    nanosleep(&moment, NULL);
    conn_shutdown(pair.target.conn);
    pair_join(&pair);
    assert_int_equal(pair.target.result, -1);
    assert_error(&pair.target.err, ERROR_CANCELLED, "was shut down");

    assert_int_equal(conn_send(pair.target.conn, "x", 1, &err), -1);
    assert_int_equal(err.kind, ERROR_CANCELLED);
    assert_int_equal(conn_flush(pair.target.conn, &err), -1);
    assert_int_equal(err.kind, ERROR_CANCELLED);

    /* and the other side sees a stream without its end */
    assert_int_equal(conn_recv(pair.source.conn, &err, 1, &err), -1);
    assert_error(&err, ERROR_TEMPORARY,
                 "connection lost: the target closed it in mid-stream");
    pair_close(&pair);
}

static void *send_for_ever(void *opaque)
{
    static const uint8_t data[1 << 20];
    struct end *end = opaque;

    do
        end->result = conn_send(end->conn, data, sizeof(data), &end->err);
    while (end->result == 0);
    return NULL;
}

static void test_shutdown_wakes_sender(void **state)
{
    struct timespec moment = { .tv_nsec = 100000000 };
    struct pair pair;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    assert_int_equal(
        pthread_create(&pair.thread, NULL, send_for_ever, &pair.source), 0);
    nanosleep(&moment, NULL);
    conn_shutdown(pair.source.conn);
    pair_join(&pair);
    assert_error(&pair.source.err, ERROR_CANCELLED, "was shut down");
    pair_close(&pair);
}

/* The peer dies in the middle of what it sends. */
static void test_truncation(void **state)
{
    struct pair pair;
    struct error err;
    char buf[16];

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    assert_ok(conn_send(pair.target.conn, "half", 4, &err), &err);
    assert_ok(conn_flush(pair.target.conn, &err), &err);
    assert_int_equal(shutdown(conn_fd(pair.target.conn), SHUT_WR), 0);
    assert_int_equal(conn_recv(pair.source.conn, buf, 8, &err), -1);
    assert_error(&err, ERROR_TEMPORARY,
                 "connection lost: the target closed it in mid-stream");
    /* and again, however often it is asked */
    assert_int_equal(conn_recv(pair.source.conn, buf, 8, &err), -1);
    assert_error(&err, ERROR_TEMPORARY, "in mid-stream");
    pair_close(&pair);
}

static void reset(struct conn *conn)
{
    struct linger hard = { .l_onoff = 1 };
    int fd = conn_fd(conn);

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)),
                     0);
    /* connect(AF_UNSPEC) resets, and leaves the descriptor to its owner */
    assert_int_equal(connect(fd, &(struct sockaddr){ .sa_family = AF_UNSPEC },
                             sizeof(struct sockaddr)),
                     0);
}

static void test_reset(void **state)
{
    struct pair pair;
    struct error err;
    char byte;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    reset(pair.source.conn);
    assert_int_equal(conn_recv(pair.target.conn, &byte, 1, &err), -1);
    assert_error(&err, ERROR_TEMPORARY,
                 "connection lost: the source closed it in mid-stream");
    pair_close(&pair);

    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    reset(pair.target.conn);
    send_for_ever(&pair.source);
    assert_error(&pair.source.err, ERROR_TEMPORARY,
                 "connection lost: the target closed it in mid-stream");
    assert_int_equal(conn_flush(pair.source.conn, &err), -1);
    assert_error(&err, ERROR_TEMPORARY, "in mid-stream");
    pair_close(&pair);
}

/* What was said before closing arrives, though the peer was talking. */
static void test_last_words(void **state)
{
    static char noise[200000];
    struct pair pair;
    struct error err;
    char buf[9];

    (void)state;
    pair_open(&pair, &pki, CONN_CONTROL, "127.0.0.1");
    assert_ok(conn_send(pair.source.conn, noise, sizeof(noise), &err), &err);
    assert_ok(conn_flush(pair.source.conn, &err), &err);
    assert_ok(conn_send(pair.target.conn, "disk full", 9, &err), &err);
    assert_ok(conn_flush(pair.target.conn, &err), &err);
    conn_close(TAKE_PTR(pair.target.conn));
    do /* until the reset shows */
        assert_int_equal(conn_flush(pair.source.conn, &err), 0);
    while (conn_send(pair.source.conn, noise, sizeof(noise), &err) == 0);
    assert_ok(conn_recv(pair.source.conn, buf, sizeof(buf), &err), &err);
    assert_memory_equal(buf, "disk full", 9);
    pair_close(&pair);
}

static void test_close_is_quick(void **state)
{
    static const uint8_t data[1 << 20];
    struct pair pair;
    uint64_t began;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    /* fill the sockets, so that no close_notify fits */
    while (send(conn_fd(pair.source.conn), data, sizeof(data), MSG_DONTWAIT) >
           0)
        ;
    began = clock_now_ns();
    conn_close(TAKE_PTR(pair.source.conn));
    assert_true(clock_now_ns() - began < 4 * CLOCK_SECOND_NS); /* of 5 */
    conn_close(NULL);
    pair_close(&pair);
}

static void test_socket_options(void **state)
{
    unsigned timeout = 1;
    int nodelay = 0;
    socklen_t len = sizeof(timeout);
    struct pair pair;

    (void)state;
    pair_open(&pair, &pki, CONN_DATA, "127.0.0.1");
    assert_int_equal(getsockopt(conn_fd(pair.source.conn), IPPROTO_TCP,
                                TCP_USER_TIMEOUT, &timeout, &len),
                     0);
    assert_int_equal(timeout, 0); /* a slow disk is no dead peer */
    assert_int_equal(getsockopt(conn_fd(pair.source.conn), IPPROTO_TCP,
                                TCP_NODELAY, &nodelay, &len),
                     0);
    assert_int_not_equal(nodelay, 0);
    pair_close(&pair);

    pair_open(&pair, &pki, CONN_CONTROL, "127.0.0.1");
    assert_int_equal(getsockopt(conn_fd(pair.target.conn), IPPROTO_TCP,
                                TCP_USER_TIMEOUT, &timeout, &len),
                     0);
    assert_int_equal(timeout, 5000);
    conn_set_role(pair.target.conn, CONN_DATA, 5000);
    assert_int_equal(getsockopt(conn_fd(pair.target.conn), IPPROTO_TCP,
                                TCP_USER_TIMEOUT, &timeout, &len),
                     0);
    assert_int_equal(timeout, 0);
    pair_close(&pair);
}

static void test_dial_fails(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair, CONN_DATA);
    pair_tls(&pki, "source", "ca", false, &pair.source);
    pair_listen(&pair, "127.0.0.1");
    close(pair.listener);
    pair.listener = -1;
    pair_dial(&pair);
    assert_error(&pair.source.err, ERROR_TEMPORARY, "connect to 127.0.0.1:");
    assert_error(&pair.source.err, ERROR_TEMPORARY, ": Connection refused");

    pair.options.congestion = "no-such-one";
    pair_dial(&pair);
    assert_error(&pair.source.err, ERROR_USAGE,
                 "TCP congestion control \"no-such-one\", where there are: ");
    pair_close(&pair);
}

static void test_listen_fails(void **state)
{
    struct addr addr;
    struct pair pair;
    struct error err;
    int fd;

    (void)state;
    pair_init(&pair, CONN_DATA);
    pair_listen(&pair, "127.0.0.1");
    addr = pair.addr;
    assert_int_equal(conn_listen(&addr, NULL, &fd, 1, &err), -1);
    assert_error(&err, ERROR_SYSTEM, "listen on 127.0.0.1:");
    assert_error(&err, ERROR_SYSTEM, ": Address already in use");

    memcpy(addr.host, "192.0.2.1", sizeof("192.0.2.1")); /* RFC 5737 */
    assert_int_equal(conn_listen(&addr, NULL, &fd, 1, &err), -1);
    assert_error(&err, ERROR_SYSTEM, "Cannot assign requested address");
    memcpy(addr.host, "x.invalid", sizeof("x.invalid"));
    assert_int_equal(conn_listen(&addr, NULL, &fd, 1, &err), -1);
    assert_error(&err, ERROR_USAGE, "resolve x.invalid");
    assert_int_equal(conn_listen(&pair.addr, "nosuch0", &fd, 1, &err), -1);
    assert_error(&err, ERROR_USAGE,
                 "listen through interface nosuch0: No such device");
    pair_close(&pair);
}

/* Where a source dials from, as the target sees it. */
static void test_bind(void **state)
{
    static const struct {
        const char *address, *device;
        const char *peer; /* NULL: refused, with text */
        const char *text;
    } cases[] = {
        { "127.0.0.9", NULL, "127.0.0.9:", NULL },
        { "127.0.0.9", "lo", "127.0.0.9:", NULL },
        { NULL, "lo", "127.0.0.1:", NULL },
        { "192.0.2.77", NULL, NULL, "dial from 192.0.2.77: Cannot assign" },
        { "::1", NULL, NULL, "dial from ::1: not an IPv4 address" },
        { "lo", NULL, NULL, "dial from lo: not an IPv4 address" },
        { NULL, "nosuch0", NULL, "through interface nosuch0: No such device" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conn_info info;
        struct pair pair;

        CASE(cases[i].text ? cases[i].text : cases[i].peer);
        pair_init(&pair, CONN_CONTROL);
        pair.options.bind_address = cases[i].address;
        pair.options.bind_device = cases[i].device;
        pair_tls(&pki, "target", "ca", true, &pair.target);
        pair_tls(&pki, "source", "ca", false, &pair.source);
        pair_listen(&pair, "127.0.0.1");
        if (cases[i].peer) {
            pair_meet(&pair);
            pair_check("source", &pair.source, NULL);
            conn_get_info(pair.target.conn, &info);
            assert_int_equal(
                strncmp(info.peer, cases[i].peer, strlen(cases[i].peer)), 0);
        } else {
            pair_dial(&pair);
            pair_check("source", &pair.source, cases[i].text);
            assert_int_equal(pair.source.err.kind, ERROR_USAGE);
        }
        pair_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_gathers),
        cmocka_unit_test(test_changes_keys),
        cmocka_unit_test(test_recv_some),
        cmocka_unit_test(test_shutdown_wakes),
        cmocka_unit_test(test_shutdown_wakes_sender),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_close_is_quick),
        cmocka_unit_test(test_socket_options),
        cmocka_unit_test(test_dial_fails),
        cmocka_unit_test(test_listen_fails),
        cmocka_unit_test(test_bind),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
