/* Two protocols on one port: which one is agreed, and what HTTP asks of a
 * connection. */
#include <signal.h>

#include "base/clock.h"
#include "conn_pair.h"

static struct pki pki;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_DFL);
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

static struct tls *open_tls(const char *name, bool is_server, bool http)
{
    struct tls_options options = {
        .cert_file = pki_path(&pki, name, ".crt"),
        .key_file = pki_path(&pki, name, ".key"),
        .ca_file = pki_path(&pki, "ca", ".crt"),
        .http = http,
    };
    struct error err;
    struct tls *tls = NULL;

    if (tls_open(&options, is_server, &tls, &err) < 0)
        fail_msg("tls_open: %s", err.text);
    return tls;
}

/* wire: what the source offers, in the form of ALPN; NULL: no ALPN. */
static void meet(struct pair *pair, bool target_http, const char *wire)
{
    pair_init(pair, CONN_DATA);
    pair->target.tls = open_tls("target", true, target_http);
    pair->source.tls = open_tls("source", false, true);
    assert_int_equal(SSL_CTX_set_alpn_protos(pair->source.tls->ctx,
                                             (const unsigned char *)wire,
                                             wire ? (unsigned)strlen(wire) : 0),
                     0);
    pair_listen(pair, "127.0.0.1");
    pair_meet(pair);
}

static void test_agreed(void **state)
{
    static const struct {
        const char *offer;
        bool target_http;
        const char *error; /* of the target, or NULL */
        bool is_http;
    } cases[] = {
        { "\x0b"
          "clonewire/1",
          false, NULL, false },
        { "\x0b"
          "clonewire/1",
          true, NULL, false },
        { "\x08"
          "http/1.1"
          "\x0b"
          "clonewire/1",
          true, NULL, false },
        { "\x02"
          "h2"
          "\x08"
          "http/1.1",
          true, NULL, true },
        { NULL, true, NULL, true },
        { "\x02"
          "h2",
          true, "does not speak clonewire/1", false },
        { "\x08"
          "http/1.1",
          false, "does not speak clonewire/1", false },
        { NULL, false, "no common ALPN", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        CASE(cases[i].offer ? cases[i].offer : "none");
        meet(&pair, cases[i].target_http, cases[i].offer);
        pair_check("target", &pair.target, cases[i].error);
        if (!cases[i].error) {
            assert_int_equal(conn_is_http(pair.target.conn), cases[i].is_http);
            assert_int_equal(conn_is_http(pair.source.conn), cases[i].is_http);
        }
        pair_close(&pair);
    }
}

/* A receive ends at its deadline, and an answer can still be sent. */
static void test_deadline(void **state)
{
    struct pair pair;
    struct error err;
    char buf[16];

    (void)state;
    meet(&pair, true, NULL);
    assert_int_equal(conn_send(pair.source.conn, "hello", 5, &err), 0);
    assert_int_equal(conn_flush(pair.source.conn, &err), 0);
    conn_set_deadline(pair.target.conn, clock_now_ns() + 30 * CLOCK_SECOND_NS);
    assert_int_equal(conn_recv_any(pair.target.conn, buf, sizeof(buf), &err),
                     5);
    assert_false(conn_is_late(pair.target.conn));

    conn_set_deadline(pair.target.conn, clock_now_ns() + 20 * CLOCK_MS_NS);
    assert_int_equal(conn_recv_any(pair.target.conn, buf, sizeof(buf), &err),
                     -1);
    assert_true(conn_is_late(pair.target.conn));
    conn_set_deadline(pair.target.conn, clock_now_ns() + 30 * CLOCK_SECOND_NS);
    assert_int_equal(conn_send(pair.target.conn, "late", 4, &err), 0);
    assert_int_equal(conn_flush(pair.target.conn, &err), 0);
    assert_int_equal(conn_recv(pair.source.conn, buf, 4, &err), 0);
    assert_memory_equal(buf, "late", 4);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreed),
        cmocka_unit_test(test_deadline),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
