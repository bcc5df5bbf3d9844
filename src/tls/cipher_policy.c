/*
 * cipher_policy.c - the ciphers and groups that an administrator allows.
 *
 * Names come from cluster policies, so all usual spellings are accepted:
 * IANA's (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secp256r1), OpenSSL's
 * (ECDHE-RSA-AES128-GCM-SHA256, P-256) and Go's (CurveP256).  A name that this
 * library does not know is logged and omitted, which only makes the policy
 * stricter; a list without any known name is an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tls/tls_private.h"

#define SEPARATORS ":, "
#define LIST_BYTES 4096U
#define PSK_SUITE  "TLS_AES_128_GCM_SHA256"
#define EVERY_SUITE                                        \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"       \
    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:" \
    "TLS_AES_128_CCM_8_SHA256"
/* Forward secrecy and authenticated encryption: a policy can choose only from
 * these, whatever else the library has. */
#define EVERY_CIPHER "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM"

/* Names in the library's spelling, joined by ":". */
struct names {
    char text[LIST_BYTES];
};

static void auto_ctx(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
}

static int add_name(struct names *names, const char *name, struct error *err)
{
    size_t used = strlen(names->text);
    int n = snprintf(names->text + used, sizeof(names->text) - used, "%s%s",
                     used > 0 ? ":" : "", name);

    if (n < 0 || (size_t)n >= sizeof(names->text) - used)
        return error_set(err, ERROR_USAGE, 0, "TLS policy: too many names");
    return 0;
}

/* Finds a cipher by its IANA or library name; NULL if unknown. */
static const SSL_CIPHER *find_cipher(SSL_CTX *every, const char *name)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(every);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        const char *standard = SSL_CIPHER_standard_name(cipher);

        if (strcasecmp(SSL_CIPHER_get_name(cipher), name) == 0 ||
            (standard && strcasecmp(standard, name) == 0))
            return cipher;
    }
    return NULL;
}

/* Splits the names into those of TLS 1.3 and those of 1.2. */
static int sort_ciphers(SSL_CTX *every, char *list, struct names *suites,
                        struct names *ciphers, struct error *err)
{
    char *rest = list;

    for (char *name; (name = strsep(&rest, SEPARATORS));) {
        const SSL_CIPHER *cipher;
        bool is_13;

        if (*name == '\0')
            continue;
        cipher = find_cipher(every, name);
        if (!cipher) {
            log_warn("TLS policy: no cipher %s here, or none that is safe",
                     name);
            continue;
        }
        is_13 = strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0;
        if (add_name(is_13 ? suites : ciphers, SSL_CIPHER_get_name(cipher),
                     err) < 0)
            return -1;
    }
    if (suites->text[0] == '\0' && ciphers->text[0] == '\0')
        return error_set(err, ERROR_USAGE, 0,
                         "TLS policy: none of its ciphers can be used");
    return 0;
}

static int policy_error(const char *what, struct error *err)
{
    return error_set(err, ERROR_TLS, 0, "TLS policy: %s: %s", what,
                     tls_reason_text());
}

int tls_policy_set_ciphers(SSL_CTX *ctx, const char *list, bool is_psk,
                           struct error *err)
{
    AUTO(auto_ctx) SSL_CTX *every = SSL_CTX_new(TLS_method());
    AUTO_FREE char *copy = strdup(list);
    struct names suites = { "" }, ciphers = { "" };

    if (!every || !copy || SSL_CTX_set_ciphersuites(every, EVERY_SUITE) != 1 ||
        SSL_CTX_set_cipher_list(every, EVERY_CIPHER) != 1)
        return policy_error("list the ciphers", err);
    if (sort_ciphers(every, copy, &suites, &ciphers, err) < 0)
        return -1;
    if (is_psk && suites.text[0] != '\0') {
        if (!strstr(suites.text, PSK_SUITE))
            return error_set(err, ERROR_USAGE, 0,
                             "TLS policy: a pre-shared key or pairing code "
                             "needs " PSK_SUITE);
        return 0; /* already the only suite */
    }
    if (suites.text[0] != '\0' &&
        SSL_CTX_set_ciphersuites(ctx, suites.text) != 1)
        return policy_error(suites.text, err);
    if (ciphers.text[0] != '\0' &&
        SSL_CTX_set_cipher_list(ctx, ciphers.text) != 1)
        return policy_error(ciphers.text, err);
    return 0;
}

/* The library's own name of a group. */
static const char *group_name(const char *name)
{
    static const struct {
        const char *given, *known;
    } names[] = {
        { "secp256r1", "P-256" },  { "CurveP256", "P-256" },
        { "prime256v1", "P-256" }, { "secp384r1", "P-384" },
        { "CurveP384", "P-384" },  { "secp521r1", "P-521" },
        { "CurveP521", "P-521" },  { "x25519", "X25519" },
        { "x448", "X448" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i].given, name) == 0)
            return names[i].known;
    return name;
}

int tls_policy_set_groups(SSL_CTX *ctx, const char *list, struct error *err)
{
    AUTO_FREE char *copy = strdup(list);
    struct names groups = { "" };
    char *rest = copy;

    if (!copy)
        return policy_error("list the groups", err);
    for (char *name; (name = strsep(&rest, SEPARATORS));) {
        const char *known = group_name(name);

        if (*name == '\0')
            continue;
        if (SSL_CTX_set1_groups_list(ctx, known) != 1)
            log_warn("TLS policy: no group %s here", name);
        else if (add_name(&groups, known, err) < 0)
            return -1;
    }
    ERR_clear_error(); /* of unknown names */
    if (groups.text[0] == '\0')
        return error_set(err, ERROR_USAGE, 0,
                         "TLS policy: none of its groups can be used");
    if (SSL_CTX_set1_groups_list(ctx, groups.text) != 1)
        return policy_error(groups.text, err);
    return 0;
}
