/* Policies as clusters spell them: what is allowed, and nothing else. */
#include <openssl/ssl.h>

#include "conn_pair.h"
#include "tls/tls_private.h"
#include "unit.h"

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

static void open_end(const char *name, const char *ciphers, const char *groups,
                     bool allow_tls12, bool is_server, struct end *end)
{
    struct tls_options options = {
        .cert_file = pki_path(&pki, name, ".crt"),
        .key_file = pki_path(&pki, name, ".key"),
        .ca_file = pki_path(&pki, "ca", ".crt"),
        .ciphers = ciphers,
        .groups = groups,
        .allow_tls12 = allow_tls12,
    };

    end->result = tls_open(&options, is_server, &end->tls, &end->err);
}

/* The target's policy decides what a source without one gets. */
static void test_agreed(void **state)
{
    static const struct {
        const char *ciphers, *groups;
        const char *want; /* the cipher agreed */
    } cases[] = {
        { NULL, NULL, "TLS_AES_128_GCM_SHA256" },
        { "TLS_AES_256_GCM_SHA384", NULL, "TLS_AES_256_GCM_SHA384" },
        { "tls_chacha20_poly1305_sha256:NO-SUCH-CIPHER", "secp384r1",
          "TLS_CHACHA20_POLY1305_SHA256" },
        { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
          "ECDHE-ECDSA-AES256-GCM-SHA384",
          "CurveP256, X25519", "TLS_AES_128_GCM_SHA256" },
        { "TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256",
          "no-such-group:P-521", "TLS_AES_256_GCM_SHA384" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conn_info info;
        struct pair pair;

        CASE(cases[i].ciphers ? cases[i].ciphers : "none");
        pair_init(&pair, CONN_CONTROL);
        open_end("target", cases[i].ciphers, cases[i].groups, false, true,
                 &pair.target);
        pair_check("target", &pair.target, NULL);
        open_end("source", NULL, NULL, false, false, &pair.source);
        pair_listen(&pair, "127.0.0.1");
        pair_meet(&pair);
        pair_check("target", &pair.target, NULL);
        pair_check("source", &pair.source, NULL);
        conn_get_info(pair.target.conn, &info);
        assert_string_equal(info.cipher, cases[i].want);
        pair_close(&pair);
    }
}

/* Two policies without a common group or suite do not agree. */
static void test_nothing_in_common(void **state)
{
    static const struct {
        const char *ciphers[2], *groups[2];
    } cases[] = {
        { { NULL, NULL }, { "P-256", "P-384" } },
        { { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384" },
          { NULL, NULL } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        pair_init(&pair, CONN_CONTROL);
        open_end("target", cases[i].ciphers[0], cases[i].groups[0], false, true,
                 &pair.target);
        open_end("source", cases[i].ciphers[1], cases[i].groups[1], false,
                 false, &pair.source);
        pair_listen(&pair, "127.0.0.1");
        pair_meet(&pair);
        assert_int_equal(pair.target.result, -1);
        assert_int_equal(pair.target.err.kind, ERROR_TLS);
        assert_int_equal(pair.source.err.kind, ERROR_TLS);
        pair_close(&pair);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *ciphers, *groups, *text;
    } cases[] = {
        { "RC4-MD5", NULL, "none of its ciphers" },
        { "AES128-SHA", NULL, "none of its ciphers" },
        { " ,:", NULL, "none of its ciphers" },
        { NULL, "secp112r1", "none of its groups" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct end end = { 0 };

        open_end("target", cases[i].ciphers, cases[i].groups, true, true, &end);
        pair_check("target", &end, cases[i].text);
        assert_int_equal(end.err.kind, ERROR_USAGE);
    }
}

static void test_psk(void **state)
{
    static const unsigned char key[TLS_KEY_BYTES] = { 1 };
    struct tls_key secret = { "pair", key };
    struct tls_options options = { .psk_key = &secret,
                                   .ciphers = "TLS_AES_256_GCM_SHA384" };
    struct tls *tls = NULL;
    struct error err;

    (void)state;
    assert_int_equal(tls_open(&options, true, &tls, &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_non_null(strstr(err.text, "needs TLS_AES_128_GCM_SHA256"));
    options.ciphers = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
    assert_int_equal(tls_open(&options, true, &tls, &err), 0);
    tls_close(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreed),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_psk),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
