/*
 * test_handshake.c - every way a handshake fails, and what both ends say.
 *
 * An end with a bad certificate could not get past tls_open(), so it opens
 * with a good one, which is then swapped inside its SSL_CTX.
 */
#include <signal.h>

#include "conn_pair.h"
#include "tls/tls_private.h"

static struct pki pki;

static const struct pki_spec specs[] = {
    { .name = "expired",
      .cn = "expired",
      .issuer = "ca",
      .san = "DNS:localhost",
      .from_s = -48 * PKI_HOUR,
      .until_s = -24 * PKI_HOUR },
    { .name = "early",
      .cn = "early",
      .issuer = "ca",
      .from_s = 24 * PKI_HOUR,
      .until_s = 48 * PKI_HOUR },
    { .name = "lone", .cn = "lone", .until_s = PKI_HOUR },
    /* another CA that calls itself like ours */
    { .name = "ca-again", .cn = "test CA", .until_s = PKI_HOUR, .is_ca = true },
    { .name = "impostor",
      .cn = "impostor",
      .issuer = "ca-again",
      .until_s = PKI_HOUR },
    { .name = "old-ca",
      .cn = "old CA",
      .from_s = -48 * PKI_HOUR,
      .until_s = -24 * PKI_HOUR,
      .is_ca = true },
    { .name = "orphan",
      .cn = "orphan",
      .issuer = "old-ca",
      .until_s = PKI_HOUR },
};

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_DFL); /* net never raises it */
    pki_open(&pki);
    pki_make_usual(&pki);
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        pki_make(&pki, &specs[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_close(&pki);
    return 0;
}

static void test_certificates(void **state)
{
    static const struct {
        const char *name;
        const char *target, *target_ca;
        const char *source, *source_ca;
        const char *target_says, *source_says;
    } cases[] = {
        { "good", "target", "ca", "source", "ca", NULL, NULL },
        { "target expired", "expired", "ca", "source", "ca",
          "the source refused our certificate: it has expired (ours is valid "
          "until 20",
          "certificate of the target expired on 20" },
        { "source expired", "target", "ca", "expired", "ca",
          "certificate of the source expired on 20",
          "the target refused our certificate: it has expired (ours is valid "
          "until 20" },
        { "target early", "early", "ca", "source", "ca",
          "the source refused our certificate: it is not valid there (ours "
          "is valid from 20",
          "certificate of the target is not valid before 20" },
        { "source early", "target", "ca", "early", "ca",
          "certificate of the source is not valid before 20",
          "the target refused our certificate: it is not valid there (ours "
          "is valid from 20" },
        { "target of another CA", "stranger", "ca", "source", "ca",
          "the source refused our certificate: it does not trust its issuer "
          "CN=other CA",
          "certificate of the target is not from a CA we trust: its issuer "
          "is CN=other CA" },
        { "source of another CA", "target", "ca", "stranger", "ca",
          "certificate of the source is not from a CA we trust: its issuer "
          "is CN=other CA",
          "the target refused our certificate: it does not trust its issuer "
          "CN=other CA" },
        { "source signs itself", "target", "ca", "lone", "ca",
          "certificate of the source is not from a CA we trust: its issuer "
          "is CN=lone",
          "it does not trust its issuer CN=lone" },
        { "CA of the same name", "target", "ca", "impostor", "ca",
          "certificate of the source was signed by another CA of the same "
          "name as ours",
          "the CA that it trusts by that name did not sign it" },
        { "CA expired", "target", "old-ca", "orphan", "ca",
          "CA certificate CN=old CA, issuer of the source's, expired on 20",
          "the target refused our certificate: it has expired" },
        { "server as client", "target", "ca", "target", "ca",
          "extended key usage in the certificate of the source does not allow "
          "a TLS client",
          "its extended key usage does not allow a TLS client" },
        { "client as server", "source", "ca", "source", "ca",
          "its extended key usage does not allow a TLS server",
          "extended key usage in the certificate of the target does not allow "
          "a TLS server" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        CASE(cases[i].name);
        pair_init(&pair, CONN_CONTROL);
        pair_tls(&pki, "target", cases[i].target_ca, true, &pair.target);
        pair_tls(&pki, "source", cases[i].source_ca, false, &pair.source);
        pair_swap_cert(&pki, pair.target.tls, cases[i].target);
        pair_swap_cert(&pki, pair.source.tls, cases[i].source);
        pair_listen(&pair, "127.0.0.1");
        pair_meet(&pair);
        pair_check("target", &pair.target, cases[i].target_says);
        pair_check("source", &pair.source, cases[i].source_says);
        if (cases[i].target_says) {
            assert_int_equal(pair.target.err.kind, ERROR_TLS);
            assert_int_equal(pair.source.err.kind, ERROR_TLS);
        }
        pair_close(&pair);
    }
}

/* The refused source is a lane: it sends and never reads. */
static void test_refusal_seen_by_sender(void **state)
{
    static const uint8_t data[1 << 20];
    struct pair pair;

    (void)state;
    pair_init(&pair, CONN_DATA);
    pair_tls(&pki, "target", "ca", true, &pair.target);
    pair_tls(&pki, "source", "ca", false, &pair.source);
    pair_swap_cert(&pki, pair.source.tls, "expired");
    pair_listen(&pair, "127.0.0.1");
    pair_start(&pair);
    pair_dial(&pair);
    while (pair.source.result == 0)
        pair.source.result = conn_send(pair.source.conn, data, sizeof(data),
                                       &pair.source.err);
    pair_join(&pair);
    pair_check("source", &pair.source,
               "the target refused our certificate: it has expired");
    assert_int_equal(pair.source.err.kind, ERROR_TLS);
    pair_close(&pair);
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        const char *target_wants, *source_wants, *dial;
        const char *target_says, *source_says;
    } cases[] = {
        { "host dialled", NULL, NULL, "127.0.0.1", NULL, NULL },
        { "name dialled", NULL, NULL, "localhost", NULL, NULL },
        { "names given", "the source", "localhost", "127.0.0.1", NULL, NULL },
        { "other source", "somebody", NULL, "127.0.0.1",
          "name mismatch: wanted somebody, certificate has CN=the source",
          NULL },
        { "other target", NULL, "vm.example", "127.0.0.1", NULL,
          "name mismatch: wanted vm.example, certificate has DNS:localhost, "
          "IP:127.0.0.1, IP:::1, CN=the target" },
        { "CN beside a SAN", NULL, "the target", "127.0.0.1", NULL,
          "name mismatch: wanted the target, certificate has DNS:localhost" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        CASE(cases[i].name);
        pair_init(&pair, CONN_CONTROL);
        pair_tls(&pki, "target", "ca", true, &pair.target);
        pair_tls(&pki, "source", "ca", false, &pair.source);
        if (cases[i].target_wants)
            pair.target.tls->peer_name = strdup(cases[i].target_wants);
        if (cases[i].source_wants)
            pair.source.tls->peer_name = strdup(cases[i].source_wants);
        pair_listen(&pair, "127.0.0.1");
        snprintf(pair.addr.host, sizeof(pair.addr.host), "%s", cases[i].dial);
        pair_start(&pair);
        pair_dial(&pair);
        pair_join(&pair);
        pair_check("target", &pair.target, cases[i].target_says);
        pair_check("source", &pair.source, cases[i].source_says);
        pair_close(&pair);
    }
}

/* ---- pre-shared keys ---- */

#define KEY_1 "00112233445566778899aabbccddeeff"
#define KEY_2 "ffeeddccbbaa99887766554433221100"

static void psk_tls(const char *name, const char *text, bool is_server,
                    struct end *end)
{
    struct tls_options options = { .psk_file = pki_path(&pki, name, "") };

    pki_write(&pki, name, text);
    if (tls_open(&options, is_server, &end->tls, &end->err) < 0)
        fail_msg("tls_open: %s", end->err.text);
}

static void test_psk(void **state)
{
    static const struct {
        const char *name;
        const char *target, *source; /* files; NULL: certificates */
        const char *target_says, *source_says;
    } cases[] = {
        { "good", "a:" KEY_2 "\nvm:" KEY_1, "vm:" KEY_1, NULL, NULL },
        { "64 bytes", "vm:" KEY_1 KEY_1 KEY_1 KEY_1,
          "vm:" KEY_1 KEY_1 KEY_1 KEY_1, NULL, NULL },
        { "wrong key", "vm:" KEY_1, "vm:" KEY_2,
          "the source holds another key for identity \"vm\"",
          "the target holds another key for identity \"vm\"" },
        { "unknown", "vm:" KEY_1, "wm:" KEY_1,
          "pre-shared key identity \"wm\" of the source is unknown",
          "the target does not know our pre-shared key identity \"wm\"" },
        { "source with certificate", "vm:" KEY_1, NULL,
          "the source offers no pre-shared key (it may use a certificate)",
          "it may want a pre-shared key" },
        { "target with certificate", NULL, "vm:" KEY_1,
          "the source refused our certificate",
          "the target uses a certificate, we a pre-shared key" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conn_info info;
        struct pair pair;

        CASE(cases[i].name);
        pair_init(&pair, CONN_CONTROL);
        if (cases[i].target)
            psk_tls("psk-target", cases[i].target, true, &pair.target);
        else
            pair_tls(&pki, "target", "ca", true, &pair.target);
        if (cases[i].source)
            psk_tls("psk-source", cases[i].source, false, &pair.source);
        else
            pair_tls(&pki, "source", "ca", false, &pair.source);
        pair_listen(&pair, "127.0.0.1");
        pair_meet(&pair);
        pair_check("target", &pair.target, cases[i].target_says);
        pair_check("source", &pair.source, cases[i].source_says);
        if (pair.target.result == 0) {
            conn_get_info(pair.target.conn, &info);
            assert_string_equal(info.peer_name, "vm");
            assert_string_equal(info.cipher, "TLS_AES_128_GCM_SHA256");
        }
        pair_close(&pair);
    }
}

static void take_key(const char *key, bool is_server, struct end *end)
{
    struct tls_key secret = { "pair", (const unsigned char *)key };
    struct tls_options options = { .psk_key = &secret };

    if (tls_open(&options, is_server, &end->tls, &end->err) < 0)
        fail_msg("tls_open: %s", end->err.text);
}

/* KEY_1 as text is 32 bytes, and so is a key in memory. */
static void test_key_in_memory(void **state)
{
    static const struct {
        const char *name, *source, *target_says, *source_says;
    } cases[] = {
        { "good", KEY_1, NULL, NULL },
        { "wrong", KEY_2, "another key", "another key" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        CASE(cases[i].name);
        pair_init(&pair, CONN_CONTROL);
        take_key(KEY_1, true, &pair.target);
        take_key(cases[i].source, false, &pair.source);
        pair_listen(&pair, "127.0.0.1");
        pair_meet(&pair);
        pair_check("target", &pair.target, cases[i].target_says);
        pair_check("source", &pair.source, cases[i].source_says);
        pair_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_refusal_seen_by_sender),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_key_in_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
