/* micro_aes.c - AES-128-GCM over TLS records, as libssl asks for it: by
 * OpenSSL's own provider, and by ours where this machine has a use for it. */
#include "micro.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "tls/gcm_provider.h"

#define RECORD_BYTES 16384
#define AAD_BYTES    5

struct seal {
    EVP_CIPHER_CTX *ctx;
    uint8_t *record;
};

static void seal_record(void *opaque)
{
    static const uint8_t iv[12], aad[AAD_BYTES];
    struct seal *seal = opaque;
    int n;

    micro_require(EVP_EncryptInit_ex(seal->ctx, NULL, NULL, NULL, iv) == 1 &&
                      EVP_EncryptUpdate(seal->ctx, NULL, &n, aad, AAD_BYTES) ==
                          1 &&
                      EVP_EncryptUpdate(seal->ctx, seal->record, &n,
                                        seal->record, RECORD_BYTES) == 1 &&
                      EVP_EncryptFinal_ex(seal->ctx, seal->record, &n) == 1,
                  "seal a record");
}

static void measure(const char *name, OSSL_LIB_CTX *library,
                    const char *properties)
{
    static const uint8_t key[16] = { 1 };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, "AES-128-GCM", properties);
    struct seal seal = { EVP_CIPHER_CTX_new(), micro_memory(RECORD_BYTES) };

    micro_require(cipher && seal.ctx &&
                      EVP_EncryptInit_ex(seal.ctx, cipher, NULL, key, NULL) ==
                          1,
                  "set up AES-128-GCM");
    micro_run(name, RECORD_BYTES, seal_record, &seal);
    EVP_CIPHER_CTX_free(seal.ctx);
    EVP_CIPHER_free(cipher);
}

int main(int argc, char **argv)
{
    micro_begin(argc, argv);
    measure("aes.openssl-record", NULL, NULL);
    if (tls_gcm_library())
        measure("aes.vaes-record", tls_gcm_library(), TLS_GCM_PROPERTIES);
    return 0;
}
