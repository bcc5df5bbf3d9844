/* Derives a key that only a process with our identity can derive. */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/tls_private.h"

/* HKDF-SHA256 (RFC 5869) of secret; info: the purpose and the peer of the
 * key. */
static bool derive(unsigned char *secret, size_t secret_len, char *info,
                   unsigned char key[TLS_KEY_BYTES])
{
    char sha256[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret,
                                          secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
                                          strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = hkdf ? EVP_KDF_CTX_new(hkdf) : NULL;
    bool is_made = ctx && EVP_KDF_derive(ctx, key, TLS_KEY_BYTES, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(hkdf);
    return is_made;
}

/* Derives from our certificate's private key, if it can be exported. */
static bool derive_from_private(const struct tls *tls, char *info,
                                unsigned char key[TLS_KEY_BYTES])
{
    EVP_PKEY *private = SSL_CTX_get0_privatekey(tls->ctx);
    unsigned char *der = NULL;
    int len = private ? i2d_PrivateKey(private, &der) : -1;
    bool is_made = len > 0 && derive(der, (size_t)len, info, key);

    if (len > 0)
        OPENSSL_clear_free(der, (size_t)len);
    return is_made;
}

bool tls_derive_key(const struct tls *tls, const char *purpose,
                    const char *peer_name, unsigned char key[TLS_KEY_BYTES])
{
    unsigned char secret[TLS_PSK_KEY_MAX];
    char info[512];
    bool is_made;
    size_t len;

    snprintf(info, sizeof(info), "clonewire %s %s", purpose, peer_name);
    if (!tls->psk)
        return derive_from_private(tls, info, key);
    len = tls_psk_copy(tls->psk, peer_name, secret);
    is_made = len > 0 && derive(secret, len, info, key);
    OPENSSL_cleanse(secret, sizeof(secret));
    return is_made;
}
