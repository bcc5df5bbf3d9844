/* self_signed.c - a certificate for clients that do not verify one. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "tls/tls_private.h"

/* It exists only in this process, so its validity period does not matter. */
#define SELF_SIGNED_S (10L * 365 * 24 * 3600)

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

bool tls_self_signed_use(SSL_CTX *ctx)
{
    AUTO(auto_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(auto_x509) X509 *cert = X509_new();

    return key && cert && name_and_sign(cert, key) &&
           SSL_CTX_use_certificate(ctx, cert) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, key) == 1;
}
