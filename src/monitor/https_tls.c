#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "monitor/https_private.h"
#include "tls/gcm_provider.h"
#include "tls/tls_private.h"

/* A client cannot verify a self-signed certificate, so its validity period does
 * not matter; it exists only in this process. */
#define SELF_SIGNED_S (10L * 365 * 24 * 3600)

static inline void auto_ctx(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
}

static inline void auto_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static inline void auto_x509(X509 **cert)
{
    X509_free(*cert);
}

static bool name_and_sign(X509 *cert, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(cert);
    uint32_t serial = 0;

    return RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"clonewire", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), SELF_SIGNED_S) != NULL &&
           X509_set_version(cert, X509_VERSION_3) == 1 &&
           X509_set_pubkey(cert, key) == 1 &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

static bool use_self_signed(SSL_CTX *ctx)
{
    AUTO(auto_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(auto_x509) X509 *cert = X509_new();

    return key && cert && name_and_sign(cert, key) &&
           SSL_CTX_use_certificate(ctx, cert) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, key) == 1;
}

/* Uses the certificate and the chain of the clone's connections. */
static bool use_ours(SSL_CTX *ctx, const struct tls *tls)
{
    STACK_OF(X509) *chain = NULL;

    return SSL_CTX_use_certificate(ctx, SSL_CTX_get0_certificate(tls->ctx)) ==
               1 &&
           SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(tls->ctx)) ==
               1 &&
           SSL_CTX_get0_chain_certs(tls->ctx, &chain) == 1 &&
           (!chain || SSL_CTX_set1_chain(ctx, chain) == 1);
}

SSL_CTX *https_tls_open(const struct tls *tls, struct error *err)
{
    const SSL_METHOD *method = TLS_server_method();
    AUTO(auto_ctx)
    SSL_CTX *ctx = SSL_CTX_new_ex(NULL, TLS_GCM_NOT_OURS, method);
    int oldest = !tls || tls->allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;

    if (ctx && SSL_CTX_set_min_proto_version(ctx, oldest) == 1 &&
        SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
        (tls && SSL_CTX_get0_certificate(tls->ctx) ? use_ours(ctx, tls)
                                                   : use_self_signed(ctx))) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_TICKET);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_RELEASE_BUFFERS);
        return TAKE_PTR(ctx);
    }
    error_set(err, ERROR_TLS, 0, "set up TLS for metrics: %s",
              tls_reason_text());
    return NULL;
}
