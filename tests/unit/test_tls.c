#include <sys/stat.h>

#include "base/cleanup.h"
#include "pki.h"
#include "tls/tls.h"
#include "tls/tls_private.h"

static struct pki pki;

static int setup(void **state)
{
    static const struct pki_spec specs[] = {
        { .name = "old",
          .cn = "old",
          .issuer = "ca",
          .from_s = -48 * PKI_HOUR,
          .until_s = -24 * PKI_HOUR },
        { .name = "early",
          .cn = "early",
          .issuer = "ca",
          .from_s = 24 * PKI_HOUR,
          .until_s = 48 * PKI_HOUR },
    };

    (void)state;
    pki_open(&pki);
    pki_make_usual(&pki);
    for (size_t i = 0; i < ARRAY_LEN(specs); i++)
        pki_make(&pki, &specs[i]);
    pki_write(&pki, "empty", "");
    pki_write(&pki, "locked.key",
              "-----BEGIN EC PRIVATE KEY-----\n"
              "Proc-Type: 4,ENCRYPTED\n"
              "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
              "-----END EC PRIVATE KEY-----\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_close(&pki);
    return 0;
}

static const char *path_or_null(const char *name)
{
    return name ? pki_path(&pki, name, "") : NULL;
}

static void test_open_x509(void **state)
{
    static const struct {
        const char *name;
        const char *cert, *key, *ca;
        bool is_server;
        enum error_kind kind;
        const char *text;
    } cases[] = {
        { "target", "target.crt", "target.key", "ca.crt", true, ERROR_NONE,
          NULL },
        { "source", "source.crt", "source.key", "ca.crt", false, ERROR_NONE,
          NULL },
        { "nothing", NULL, NULL, NULL, true, ERROR_USAGE, "no identity" },
        { "no key", "target.crt", NULL, "ca.crt", true, ERROR_USAGE,
          "no key file" },
        { "no CA", "target.crt", "target.key", NULL, true, ERROR_USAGE,
          "no CA certificate file" },
        { "no certificate", NULL, "target.key", "ca.crt", true, ERROR_USAGE,
          "no certificate file" },
        { "missing file", "gone.crt", "target.key", "ca.crt", true, ERROR_USAGE,
          "gone.crt: No such file" },
        { "missing key", "target.crt", "gone.key", "ca.crt", true, ERROR_USAGE,
          "gone.key: No such file" },
        { "missing CA", "target.crt", "target.key", "gone.crt", true,
          ERROR_USAGE, "gone.crt: No such file" },
        { "empty certificate", "empty", "target.key", "ca.crt", true, ERROR_TLS,
          "empty: no PEM certificate" },
        { "empty key", "target.crt", "empty", "ca.crt", true, ERROR_TLS,
          "empty: no PEM key" },
        { "empty CA", "target.crt", "target.key", "empty", true, ERROR_TLS,
          "empty: no PEM certificate" },
        { "encrypted key", "target.crt", "locked.key", "ca.crt", true,
          ERROR_TLS, "locked.key is encrypted" },
        { "wrong key", "target.crt", "source.key", "ca.crt", true, ERROR_TLS,
          "source.key does not belong to certificate" },
        { "expired", "old.crt", "old.key", "ca.crt", true, ERROR_TLS,
          "old.crt expired on 20" },
        { "not yet valid", "early.crt", "early.key", "ca.crt", true, ERROR_TLS,
          "early.crt is not valid before 20" },
        { "client's as server", "source.crt", "source.key", "ca.crt", true,
          ERROR_TLS, "does not allow a TLS server" },
        { "server's as client", "target.crt", "target.key", "ca.crt", false,
          ERROR_TLS, "does not allow a TLS client" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_options options = {
            .cert_file = path_or_null(cases[i].cert),
            .key_file = path_or_null(cases[i].key),
            .ca_file = path_or_null(cases[i].ca),
        };
        struct error err = { .kind = ERROR_NONE };
        struct tls *tls = NULL;
        int r;

        CASE(cases[i].name);
        r = tls_open(&options, cases[i].is_server, &tls, &err);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(r, cases[i].kind == ERROR_NONE ? 0 : -1);
        if (cases[i].text && !strstr(err.text, cases[i].text))
            fail_msg("got: %s", err.text);
        tls_close(tls);
    }
}

/* The text of a file; the last four stay valid. */
static const char *text_of(const char *name)
{
    static char texts[4][8192];
    static unsigned next;
    char *text = texts[next++ % 4];
    FILE *f = fopen(pki_path(&pki, name, ""), "r");
    size_t len;

    assert_non_null(f);
    len = fread(text, 1, sizeof(texts[0]) - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

static void test_open_text(void **state)
{
    static const struct {
        const char *name;
        const char *cert, *key, *ca;
        const char *text; /* NULL: it opens */
    } cases[] = {
        { "all", "target.crt", "target.key", "ca.crt", NULL },
        { "wrong key", "target.crt", "source.key", "ca.crt",
          "key given as text does not belong to certificate given as text" },
        { "expired", "old.crt", "old.key", "ca.crt",
          "certificate given as text expired on 20" },
        { "no certificate", "target.key", "target.key", "ca.crt",
          "certificate given as text: no PEM certificate" },
        { "no key", "target.crt", "target.crt", "ca.crt",
          "key given as text: no PEM key" },
        { "no CA", "target.crt", "target.key", "target.key",
          "CA certificate given as text: no PEM certificate" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_options options = {
            .cert_file = text_of(cases[i].cert),
            .key_file = text_of(cases[i].key),
            .ca_file = text_of(cases[i].ca),
        };
        struct error err = { .kind = ERROR_NONE };
        struct tls *tls = NULL;
        int r;

        CASE(cases[i].name);
        r = tls_open(&options, true, &tls, &err);
        assert_int_equal(r, cases[i].text ? -1 : 0);
        if (cases[i].text && !strstr(err.text, cases[i].text))
            fail_msg("got: %s", err.text);
        assert_null(strstr(err.text, "-----"));
        tls_close(tls);
    }
}

/* Our certificate, its issuer, a comment before them; two to trust. */
static void test_open_bundle(void **state)
{
    struct tls_options options = {
        .key_file = pki_path(&pki, "target", ".key"),
        .ca_file = pki_path(&pki, "two", ".crt"),
    };
    char text[16384], damaged[8192];
    STACK_OF(X509) *chain = NULL;
    struct tls *tls = NULL;
    struct error err;

    (void)state;
    snprintf(text, sizeof(text), "subject=target\n%s%s", text_of("target.crt"),
             text_of("ca.crt"));
    options.cert_file = text;
    pki_write(&pki, "two.crt", text);
    assert_int_equal(tls_open(&options, true, &tls, &err), 0);
    SSL_CTX_get0_chain_certs(tls->ctx, &chain);
    assert_int_equal(sk_X509_num(chain), 1);
    assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(
                         SSL_CTX_get_cert_store(tls->ctx))),
                     2);
    tls_close(TAKE_PTR(tls));

    /* A damaged second one is not overlooked. */
    snprintf(damaged, sizeof(damaged), "%s%s", text_of("ca.crt"),
             "-----BEGIN CERTIFICATE-----\nAAAA\n"
             "-----END CERTIFICATE-----\n");
    options.ca_file = damaged;
    assert_int_equal(tls_open(&options, true, &tls, &err), -1);
    assert_non_null(strstr(err.text, "certificate 2 in it"));
}

/* As kubelet mounts a Secret: links to links, read through the group. */
static void test_open_secret_volume(void **state)
{
    struct tls_options options = {
        .cert_file = pki_path(&pki, "linked", ".crt"),
        .key_file = pki_path(&pki, "linked", ".key"),
        .ca_file = pki_path(&pki, "ca", ".crt"),
    };
    struct tls *tls = NULL;
    struct error err;

    (void)state;
    assert_int_equal(chmod(pki_path(&pki, "target", ".key"), 0640), 0);
    assert_int_equal(
        symlink("..data/target.key", pki_path(&pki, "linked", ".key")), 0);
    assert_int_equal(
        symlink("..data/target.crt", pki_path(&pki, "linked", ".crt")), 0);
    assert_int_equal(symlink(".", pki_path(&pki, "..data", "")), 0);
    assert_int_equal(tls_open(&options, true, &tls, &err), 0);
    tls_close(tls);
    assert_int_equal(unlink(pki_path(&pki, "..data", "")), 0);
}

static void test_open_psk(void **state)
{
    static const char key[] = "00112233445566778899aabbccddeeff";
    static const struct {
        const char *name;
        const char *format; /* "%s": a good key */
        const char *identity;
        bool is_server;
        enum error_kind kind;
        const char *text;
    } cases[] = {
        { "one", "vm:%s\n", NULL, false, ERROR_NONE, NULL },
        { "no newline", "vm:%s", NULL, false, ERROR_NONE, NULL },
        { "comments", "# x\n\n\r\nvm:%s\r\n", NULL, false, ERROR_NONE, NULL },
        { "named", "a:%1$s\nvm:%1$s\n", "vm", false, ERROR_NONE, NULL },
        { "server takes all", "a:%1$s\nvm:%1$s\n", NULL, true, ERROR_NONE,
          NULL },
        { "which?", "a:%1$s\nvm:%1$s\n", NULL, false, ERROR_USAGE,
          "has 2 identities" },
        { "not there", "a:%s\n", "vm", false, ERROR_USAGE,
          "has no identity \"vm\"" },
        { "empty", "# nothing\n", NULL, true, ERROR_TLS, "no key in it" },
        { "no colon", "\nvm\n", NULL, true, ERROR_TLS, "line 2: expected" },
        { "no identity", ":%s\n", NULL, true, ERROR_TLS, "line 1: expected" },
        { "twice", "vm:%1$s\nvm:%1$s\n", NULL, true, ERROR_TLS,
          "line 2: the identity is there twice" },
        { "odd", "vm:%s0\n", NULL, true, ERROR_TLS, "odd number" },
        { "short", "vm:0011\n", NULL, true, ERROR_TLS, "16 to 64 bytes" },
        { "long", "vm:%1$s%1$s%1$s%1$s00\n", NULL, true, ERROR_TLS,
          "16 to 64 bytes" },
        { "not hex", "vm:%sgg\n", NULL, true, ERROR_TLS, "hex digits" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_options options = {
            .psk_file = pki_path(&pki, "psk", ""),
            .psk_identity = cases[i].identity,
        };
        struct error err = { .kind = ERROR_NONE };
        struct tls *tls = NULL;
        char text[512] = "";
        const char *from = cases[i].format;
        int r;

        CASE(cases[i].name);
        for (; *from != '\0'; from++) { /* "%s" and "%1$s" are the key */
            size_t used = strlen(text);

            if (*from != '%') {
                text[used] = *from;
                continue;
            }
            memcpy(text + used, key, sizeof(key));
            from = strchr(from, 's');
        }
        pki_write(&pki, "psk", text);
        r = tls_open(&options, cases[i].is_server, &tls, &err);
        if (err.kind != cases[i].kind)
            fail_msg("got: %s", err.text);
        assert_int_equal(r, cases[i].kind == ERROR_NONE ? 0 : -1);
        if (cases[i].text && !strstr(err.text, cases[i].text))
            fail_msg("got: %s", err.text);
        assert_null(strstr(err.text, key));
        tls_close(tls);
    }
}

static void test_open_both(void **state)
{
    struct tls_options options = {
        .cert_file = pki_path(&pki, "target", ".crt"),
        .key_file = pki_path(&pki, "target", ".key"),
        .ca_file = pki_path(&pki, "ca", ".crt"),
        .psk_file = pki_path(&pki, "psk", ""),
    };
    struct tls *tls = NULL;
    struct error err;

    (void)state;
    assert_int_equal(tls_open(&options, true, &tls, &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_null(tls);
    tls_close(NULL);
}

static void test_names(void **state)
{
    static const struct {
        const char *cn, *san;
        const char *wanted;
        bool want;
        const char *list;
    } cases[] = {
        { "a", NULL, "a", true, "CN=a" },
        { "a", NULL, "b", false, "CN=a" },
        { "a", "DNS:b", "b", true, "DNS:b, CN=a" },
        /* a SAN of the type ends the CN's say */
        { "a", "DNS:b", "a", false, "DNS:b, CN=a" },
        { "a", "IP:10.0.0.7", "a", true, "IP:10.0.0.7, CN=a" },
        { "a", "IP:10.0.0.7", "10.0.0.7", true, "IP:10.0.0.7, CN=a" },
        { "10.0.0.7", NULL, "10.0.0.7", true, "CN=10.0.0.7" },
        { "10.0.0.7", "DNS:b", "10.0.0.7", true, "DNS:b, CN=10.0.0.7" },
        { "10.0.0.7", "IP:10.0.0.8", "10.0.0.7", false,
          "IP:10.0.0.8, CN=10.0.0.7" },
        { NULL, "IP:::1", "::1", true, "IP:::1" },
        { NULL, "IP:::1", "0:0::1", true, "IP:::1" },
        { NULL, "DNS:*.ns.svc", "vm.ns.svc", true, "DNS:*.ns.svc" },
        { NULL, "DNS:*.ns.svc", "a.vm.ns.svc", false, "DNS:*.ns.svc" },
        { NULL, "DNS:Target", "target", true, "DNS:Target" },
        { NULL, NULL, "a", false, "no name" },
        { "a\nb", NULL, "a", false, "CN=a?b" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pki_spec spec = { .name = "named",
                                 .cn = cases[i].cn,
                                 .san = cases[i].san,
                                 .until_s = PKI_HOUR };
        char list[256];
        X509 *cert;

        CASE(cases[i].list);
        pki_make(&pki, &spec);
        cert = pki_load_cert(pki_path(&pki, "named", ".crt"));
        assert_int_equal(tls_name_matches(cert, cases[i].wanted),
                         cases[i].want);
        tls_name_list(cert, list, sizeof(list));
        assert_string_equal(list, cases[i].list);
        X509_free(cert);
    }
}

/* A client's CN counts beside its SAN. */
static void test_client_names(void **state)
{
    static const struct {
        const char *cn, *san;
        const char *wanted;
        bool want;
    } cases[] = {
        { "ns/a-ns/b", NULL, "ns/a-ns/b", true },
        { "client", "DNS:node7", "client", true },
        { "client", "DNS:node7", "node7", true },
        { "client", "DNS:node7", "Client", false },
        { "client", "DNS:node7", "clien", false },
        { "client", "DNS:node7", "node", false },
        { NULL, NULL, "client", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pki_spec spec = { .name = "client",
                                 .cn = cases[i].cn,
                                 .san = cases[i].san,
                                 .until_s = PKI_HOUR };
        X509 *cert;

        CASE(cases[i].wanted);
        pki_make(&pki, &spec);
        cert = pki_load_cert(pki_path(&pki, "client", ".crt"));
        assert_int_equal(tls_client_matches(cert, cases[i].wanted),
                         cases[i].want);
        X509_free(cert);
    }
}

static void test_long_name_list(void **state)
{
    struct pki_spec spec = { .name = "named",
                             .san = "DNS:one.example,DNS:two.example",
                             .until_s = PKI_HOUR };
    char list[20];
    X509 *cert;

    (void)state;
    pki_make(&pki, &spec);
    cert = pki_load_cert(pki_path(&pki, "named", ".crt"));
    tls_name_list(cert, list, sizeof(list));
    assert_string_equal(list, "DNS:one.example,...");
    X509_free(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_x509),
        cmocka_unit_test(test_open_text),
        cmocka_unit_test(test_open_bundle),
        cmocka_unit_test(test_open_secret_volume),
        cmocka_unit_test(test_open_psk),
        cmocka_unit_test(test_open_both),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_client_names),
        cmocka_unit_test(test_long_name_list),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
