/*
 * test_strangers.c - peers that are not ours: other TLS programs, no TLS at
 * all, and those who say nothing or too little.
 */
#include <netdb.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "conn_pair.h"

/* Far less than anybody would drip, far more than a busy machine needs. */
#define SOON_NS (30 * CLOCK_SECOND_NS)

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

enum foreign {
    FOREIGN_NO_CERTIFICATE,
    FOREIGN_NO_ALPN,
    FOREIGN_OTHER_ALPN,
    FOREIGN_TLS12,
    FOREIGN_CIPHER
};

static void set_foreign(SSL_CTX *ctx, enum foreign kind)
{
    static const unsigned char http[] = "\x08http/1.1";
    static const unsigned char ours[] = "\x0b" TLS_ALPN;

    SSL_CTX_set_alpn_protos(ctx, ours, sizeof(ours) - 1);
    switch (kind) {
    case FOREIGN_NO_CERTIFICATE: break;
    case FOREIGN_NO_ALPN: SSL_CTX_set_alpn_protos(ctx, NULL, 0); break;
    case FOREIGN_OTHER_ALPN:
        SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1);
        break;
    case FOREIGN_TLS12:
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
        break;
    case FOREIGN_CIPHER:
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_CCM_SHA256");
        break;
    }
}

/* One end's SSL_CTX in place of ours, set up as a stranger would. */
static void make_foreign(struct end *end, bool is_server, enum foreign kind)
{
    SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method()
                                         : TLS_client_method());

    SSL_CTX_free(end->tls->ctx);
    end->tls->ctx = ctx;
    SSL_CTX_load_verify_file(ctx, pki_path(&pki, "ca", ".crt"));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    set_foreign(ctx, kind);
    if (kind != FOREIGN_NO_CERTIFICATE)
        pair_swap_cert(&pki, end->tls, is_server ? "target" : "source");
}

struct foreign_case {
    const char *name;
    enum foreign kind;
    const char *target_says, *source_says; /* NULL: not asked */
};

static void check_foreign(const struct foreign_case *c, bool is_server)
{
    struct pair pair;
    struct end *ours = is_server ? &pair.source : &pair.target;

    CASE(c->name);
    pair_init(&pair, CONN_CONTROL);
    pair_tls(&pki, "target", "ca", true, &pair.target);
    pair_tls(&pki, "source", "ca", false, &pair.source);
    make_foreign(is_server ? &pair.target : &pair.source, is_server, c->kind);
    pair_listen(&pair, "127.0.0.1");
    pair_meet(&pair);
    if (c->target_says)
        pair_check("target", &pair.target, c->target_says);
    pair_check("source", &pair.source, c->source_says);
    assert_int_equal(ours->err.kind, ERROR_TLS);
    pair_close(&pair);
}

static void test_foreign_source(void **state)
{
    static const struct foreign_case cases[] = {
        { "no certificate", FOREIGN_NO_CERTIFICATE,
          "the source sent no certificate",
          "the target wants a certificate and we sent none" },
        { "no ALPN", FOREIGN_NO_ALPN,
          "the source speaks TLS but not clonewire/1 (no common ALPN)",
          "the target speaks TLS but not clonewire/1 (no common ALPN)" },
        { "other ALPN", FOREIGN_OTHER_ALPN,
          "the source does not speak clonewire/1",
          "the target does not speak clonewire/1" },
        { "TLS 1.2", FOREIGN_TLS12,
          "the source speaks no TLS version that we allow (1.3 only)",
          "the target speaks no TLS version that we allow" },
        { "cipher", FOREIGN_CIPHER,
          "the source has no cipher or signature in common with us",
          "no cipher, signature or kind of identity in common" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_foreign(&cases[i], false);
}

static void test_foreign_target(void **state)
{
    static const struct foreign_case cases[] = {
        { "no ALPN", FOREIGN_NO_ALPN, NULL,
          "the target speaks TLS but not clonewire/1 (no common ALPN)" },
        { "TLS 1.2", FOREIGN_TLS12, NULL,
          "the target speaks no TLS version that we allow (1.3 only)" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_foreign(&cases[i], true);
}

/* TLS 1.2 where both ends were told to allow it. */
static void test_tls12(void **state)
{
    struct tls_options options = {
        .cert_file = pki_path(&pki, "target", ".crt"),
        .key_file = pki_path(&pki, "target", ".key"),
        .ca_file = pki_path(&pki, "ca", ".crt"),
        .allow_tls12 = true,
    };
    struct conn_info info;
    struct pair pair;
    char byte = 0;

    (void)state;
    pair_init(&pair, CONN_CONTROL);
    assert_int_equal(
        tls_open(&options, true, &pair.target.tls, &pair.target.err), 0);
    pair_tls(&pki, "source", "ca", false, &pair.source);
    make_foreign(&pair.source, false, FOREIGN_TLS12);
    pair_listen(&pair, "127.0.0.1");
    pair_start(&pair);
    pair_dial(&pair);
    pair_join(&pair);
    pair_check("target", &pair.target, NULL);
    pair_check("source", &pair.source, NULL);
    conn_get_info(pair.target.conn, &info);
    assert_string_equal(info.tls_version, "TLSv1.2");
    assert_string_equal(info.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
    assert_int_equal(conn_send(pair.target.conn, "x", 1, &pair.target.err), 0);
    assert_int_equal(conn_flush(pair.target.conn, &pair.target.err), 0);
    assert_int_equal(conn_recv(pair.source.conn, &byte, 1, &pair.source.err),
                     0);
    assert_int_equal(byte, 'x');
    pair_close(&pair);
}

/* ---- peers that do not speak TLS, or do not speak ---- */

/* What a raw peer does once it is connected. */
struct raw {
    int fd; /* a source: connected; a target: its listener */
    bool is_target;
    const char *text; /* said at once, NULL: nothing */
    bool is_closing;  /* closes after that */
    bool is_dripping; /* says one byte of a TLS record every 20 ms */
    int stop[2];      /* pipe: the test is done */
    pthread_t thread;
};

static bool is_told_to_stop(const struct raw *raw, int wait_ms)
{
    struct pollfd pfd = { .fd = raw->stop[0], .events = POLLIN };

    return poll(&pfd, 1, wait_ms) != 0;
}

static void *raw_run(void *opaque)
{
    /* a handshake record of 16 KiB: enough to drip for minutes */
    static const uint8_t start[] = { 22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb };
    struct raw *raw = opaque;
    struct pollfd pfd = { .fd = raw->fd, .events = POLLIN };
    int fd = raw->fd;

    if (raw->is_target)
        fd = poll(&pfd, 1, 20000) == 1 ? accept(raw->fd, NULL, NULL) : -1;
    if (raw->text)
        (void)send(fd, raw->text, strlen(raw->text), MSG_NOSIGNAL);
    for (size_t i = 0; raw->is_dripping && !is_told_to_stop(raw, 20); i++) {
        uint8_t byte = i < sizeof(start) ? start[i] : 0;

        if (send(fd, &byte, 1, MSG_NOSIGNAL) < 0)
            break;
    }
    if (!raw->is_closing)
        (void)is_told_to_stop(raw, -1);
    close(fd);
    return NULL;
}

static void raw_start(struct raw *raw, struct pair *pair)
{
    assert_int_equal(pipe(raw->stop), 0);
    raw->fd = pair->listener;
    if (!raw->is_target) {
        struct addrinfo *list;
        struct error err;

        assert_int_equal(addr_resolve(&pair->addr, false, &list, &err), 0);
        raw->fd = socket(list->ai_family, SOCK_STREAM, 0);
        assert_int_equal(connect(raw->fd, list->ai_addr, list->ai_addrlen), 0);
        freeaddrinfo(list);
    }
    assert_int_equal(pthread_create(&raw->thread, NULL, raw_run, raw), 0);
}

static void raw_stop(struct raw *raw)
{
    assert_int_equal(write(raw->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(raw->thread, NULL), 0);
    close(raw->stop[0]);
    close(raw->stop[1]);
}

struct raw_case {
    const char *name;
    struct raw raw;
    enum error_kind kind;
    const char *says; /* our end, of the stranger */
};

static void check_raw(const struct raw_case *c, bool is_target)
{
    const char *ours = is_target ? "source" : "target";
    const char *theirs = is_target ? "target" : "source";
    struct raw raw = c->raw;
    char greeted[64];
    struct pair pair;
    struct end *end = is_target ? &pair.source : &pair.target;
    uint64_t began;

    CASE(c->name);
    pair_init(&pair, CONN_CONTROL);
    if (c->kind == ERROR_TEMPORARY && !raw.is_closing) /* waited for in vain */
        pair.options.handshake_timeout_ms = 300;
    pair_tls(&pki, ours, "ca", !is_target, end);
    pair_listen(&pair, "127.0.0.1");
    raw.is_target = is_target;
    raw_start(&raw, &pair);
    began = clock_now_ns();
    if (is_target)
        pair_dial(&pair);
    else
        pair_serve(&pair);
    assert_true(clock_now_ns() - began < SOON_NS);
    pair_check(ours, end, c->says);
    snprintf(greeted, sizeof(greeted),
             "handshake with the %s at 127.0.0.1:", theirs);
    pair_check(ours, end, greeted);
    assert_int_equal(end->err.kind, c->kind);
    raw_stop(&raw);
    pair_close(&pair);
}

static void test_raw_source(void **state)
{
    static const struct raw_case cases[] = {
        { "HTTP",
          { .text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
          ERROR_TLS,
          "the source sent plain text, not TLS" },
        { "SSH",
          { .text = "SSH-2.0-OpenSSH_9.2\r\n" },
          ERROR_TLS,
          "the source sent plain text, not TLS" },
        { "port scan",
          { .is_closing = true },
          ERROR_TEMPORARY,
          "the source closed the connection" },
        { "silent",
          { .text = NULL },
          ERROR_TEMPORARY,
          "no answer of the source in time" },
        { "slow drip",
          { .is_dripping = true },
          ERROR_TEMPORARY,
          "no answer of the source in time" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_raw(&cases[i], false);
}

static void test_raw_target(void **state)
{
    static const struct raw_case cases[] = {
        { "SMTP",
          { .text = "220 mail.example ESMTP\r\n" },
          ERROR_TLS,
          "the target sent plain text, not TLS" },
        { "HTTP",
          { .text = "HTTP/1.1 400 Bad Request\r\n\r\n" },
          ERROR_TLS,
          "the target sent plain text, not TLS" },
        { "closes",
          { .is_closing = true },
          ERROR_TEMPORARY,
          "the target closed" },
        { "silent",
          { .text = NULL },
          ERROR_TEMPORARY,
          "no answer of the target in time" },
        { "slow drip",
          { .is_dripping = true },
          ERROR_TEMPORARY,
          "no answer of the target in time" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_raw(&cases[i], true);
}

/* A stopped process does not sit out a handshake. */
static void test_stop(void **state)
{
    struct raw raw = { .is_target = true };
    int stop[2];
    struct pair pair;
    uint64_t began = clock_now_ns();

    (void)state;
    assert_int_equal(pipe(stop), 0);
    assert_int_equal(write(stop[1], "x", 1), 1);
    pair_init(&pair, CONN_CONTROL);
    pair.options.stop_fd = stop[0];
    pair.options.handshake_timeout_ms = 60000;
    pair_tls(&pki, "source", "ca", false, &pair.source);
    pair_listen(&pair, "127.0.0.1");
    raw_start(&raw, &pair);
    pair_dial(&pair);
    assert_true(clock_now_ns() - began < SOON_NS);
    pair_check("source", &pair.source, "stopped");
    assert_int_equal(pair.source.err.kind, ERROR_CANCELLED);
    raw_stop(&raw);
    pair_close(&pair);
    close(stop[0]);
    close(stop[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_source),
        cmocka_unit_test(test_foreign_target),
        cmocka_unit_test(test_tls12),
        cmocka_unit_test(test_raw_source),
        cmocka_unit_test(test_raw_target),
        cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
