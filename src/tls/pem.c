/*
 * pem.c - reads certificates and keys in PEM, from a file or from text.
 *
 * A controller passes secrets to a container as files or as environment
 * variables, so an option that names a file may hold its contents instead.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "tls/tls_private.h"

static inline void auto_bio(BIO **bio)
{
    BIO_free(*bio);
}

/* Without this, OpenSSL asks the terminal for the passphrase of a key. */
static int refuse_passphrase(char *buf, int size, int is_writing, void *opaque)
{
    (void)is_writing, (void)opaque;
    if (size > 0)
        *buf = '\0';
    return -1;
}

/* No path contains this; text before it in a file is a comment. */
static bool is_text(const char *given)
{
    return strstr(given, "-----BEGIN ") != NULL;
}

/* The name for messages: text may be a key, and is never shown. */
static const char *name_of(const char *given)
{
    return is_text(given) ? "given as text" : given;
}

static BIO *open_pem(const char *what, const char *given, struct error *err)
{
    size_t len = strlen(given);
    BIO *bio;

    errno = 0;
    if (is_text(given) && len <= INT_MAX)
        bio = BIO_new_mem_buf(given, (int)len);
    else
        bio = BIO_new_file(given, "r");
    if (bio)
        return bio;
    if (errno != 0)
        error_set_named(err, ERROR_TLS, errno, "read %s %s", what,
                        name_of(given));
    else
        error_set(err, ERROR_TLS, 0, "read %s %s: %s", what, name_of(given),
                  tls_reason_text());
    ERR_clear_error();
    return NULL;
}

/*
 * Reads the next certificate.  Returns 1 with *cert, owned by the caller; 0 at
 * the end; -1 if the rest is not a certificate: OpenSSL's queue has the
 * reason.
 */
static int next_cert(BIO *bio, X509 **cert)
{
    *cert = PEM_read_bio_X509_AUX(bio, NULL, refuse_passphrase, NULL);
    if (*cert)
        return 1;
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return 0;
}

static int check_dates(const X509 *cert, const char *name, struct error *err)
{
    char when[TLS_TIME_CHARS];

    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        return error_set(
            err, ERROR_TLS, 0, "certificate %s expired on %s", name,
            tls_reason_time(X509_get0_notAfter(cert), when, sizeof(when)));
    if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        return error_set(
            err, ERROR_TLS, 0, "certificate %s is not valid before %s", name,
            tls_reason_time(X509_get0_notBefore(cert), when, sizeof(when)));
    return 0;
}

static int check_purpose(const struct tls *tls, X509 *cert, const char *name,
                         struct error *err)
{
    int purpose = tls->is_server ? X509_PURPOSE_SSL_SERVER
                                 : X509_PURPOSE_SSL_CLIENT;

    if (X509_check_purpose(cert, purpose, 0) == 1)
        return 0;
    return error_set(err, ERROR_TLS, 0,
                     "certificate %s: its extended key usage does not allow "
                     "a TLS %s",
                     name, tls->is_server ? "server" : "client");
}

/* Loads the certificates after ours: its issuers, which we send to the
 * peer. */
static int load_chain(struct tls *tls, BIO *bio, const char *name,
                      struct error *err)
{
    X509 *issuer;
    int r;

    while ((r = next_cert(bio, &issuer)) > 0) {
        if (SSL_CTX_add0_chain_cert(tls->ctx, issuer) != 1) {
            X509_free(issuer);
            r = -1;
            break;
        }
    }
    if (r < 0)
        return error_set(err, ERROR_TLS, 0, "chain of certificate %s: %s", name,
                         tls_reason_text());
    return 0;
}

int tls_pem_load_cert(struct tls *tls, const char *given, struct error *err)
{
    AUTO(auto_bio) BIO *bio = open_pem("certificate", given, err);
    AUTO(auto_x509) X509 *cert = NULL;
    const char *name = name_of(given);

    if (!bio)
        return -1;
    cert = PEM_read_bio_X509_AUX(bio, NULL, refuse_passphrase, NULL);
    if (!cert)
        return error_set(err, ERROR_TLS, 0,
                         "certificate %s: no PEM certificate in it (%s)", name,
                         tls_reason_text());
    if (check_dates(cert, name, err) < 0 ||
        check_purpose(tls, cert, name, err) < 0)
        return -1;
    if (SSL_CTX_use_certificate(tls->ctx, cert) != 1)
        return error_set(err, ERROR_TLS, 0, "certificate %s: %s", name,
                         tls_reason_text());
    return load_chain(tls, bio, name, err);
}

static EVP_PKEY *read_key(BIO *bio, const char *name, struct error *err)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);

    if (key)
        return key;
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ)
        error_set(err, ERROR_TLS, 0,
                  "key %s is encrypted: store it without a passphrase", name);
    else
        error_set(err, ERROR_TLS, 0, "key %s: no PEM key in it (%s)", name,
                  tls_reason_text());
    return NULL;
}

int tls_pem_load_key(struct tls *tls, const struct tls_options *options,
                     struct error *err)
{
    AUTO(auto_bio) BIO *bio = open_pem("key", options->key_file, err);
    AUTO(auto_pkey) EVP_PKEY *key = NULL;
    const char *name = name_of(options->key_file);

    if (!bio)
        return -1;
    key = read_key(bio, name, err);
    if (!key)
        return -1;
    if (X509_check_private_key(SSL_CTX_get0_certificate(tls->ctx), key) != 1)
        return error_set(err, ERROR_TLS, 0,
                         "key %s does not belong to certificate %s", name,
                         name_of(options->cert_file));
    if (SSL_CTX_use_PrivateKey(tls->ctx, key) != 1)
        return error_set(err, ERROR_TLS, 0, "key %s: %s", name,
                         tls_reason_text());
    return 0;
}

/* Trusts only the given certificates: no system store. */
int tls_pem_load_ca(struct tls *tls, const char *given, struct error *err)
{
    AUTO(auto_bio) BIO *bio = open_pem("CA certificate", given, err);
    X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);
    unsigned count = 0;
    X509 *cert;
    int r;

    if (!bio)
        return -1;
    while ((r = next_cert(bio, &cert)) > 0) {
        /* Decodes the extensions now, in this thread: handshakes that run side
         * by side would each do it at their first look.  The answer is for
         * them; a bad certificate is refused there. */
        X509_check_purpose(cert, -1, 0);
        /* Since OpenSSL 1.1.1 a duplicate is not an error. */
        r = X509_STORE_add_cert(store, cert) == 1 ? 1 : -1;
        X509_free(cert);
        if (r < 0)
            break;
        count++;
    }
    if (r < 0)
        return error_set(err, ERROR_TLS, 0,
                         "CA certificate %s: certificate %u in it: %s",
                         name_of(given), count + 1, tls_reason_text());
    if (count == 0)
        return error_set(err, ERROR_TLS, 0,
                         "CA certificate %s: no PEM certificate in it",
                         name_of(given));
    /* An intermediate in the file is trusted like a root, as the controllers
     * that write such files expect. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls->ctx),
                                X509_V_FLAG_PARTIAL_CHAIN);
    return 0;
}
