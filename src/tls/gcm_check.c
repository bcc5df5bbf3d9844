/*
 * gcm_check.c - the known-answer test of AES-GCM.  The tag covers every byte of
 * the sealed message, so it alone is compared; the expected ones are those of
 * OpenSSL 3.0.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "tls/gcm_provider.h"

#define MESSAGE_BYTES 16385 /* a full record of TLS 1.3: whole blocks, a rest */
#define TAG_BYTES     16

static const struct known_answer {
    const char *cipher;
    uint8_t tag[TAG_BYTES];
} answers[] = {
    { "AES-128-GCM",
      { 0xb0, 0x60, 0x12, 0xe7, 0xbc, 0x00, 0x54, 0x6f, 0x91, 0x72, 0x35, 0x27,
        0xe8, 0xaa, 0x08, 0x2b } },
    { "AES-256-GCM",
      { 0x21, 0x8e, 0xf0, 0x4b, 0x1c, 0xc6, 0xa8, 0x0c, 0x73, 0x6c, 0x31, 0x0c,
        0x65, 0xef, 0x0f, 0x96 } },
};

static void auto_cipher(EVP_CIPHER **cipher)
{
    EVP_CIPHER_free(*cipher);
}

static void auto_cipher_ctx(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static void count_up(uint8_t *out, size_t len, unsigned first)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(first + i);
}

static void make_message(uint8_t *out)
{
    for (size_t i = 0; i < MESSAGE_BYTES; i++)
        out[i] = (uint8_t)(i * 31 + (i >> 8));
}

/* Seals or opens the message in place; tag: made, or expected. */
static bool run_cipher(const EVP_CIPHER *cipher, bool is_sealing, uint8_t *data,
                       uint8_t *tag)
{
    AUTO(auto_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t key[32], iv[12], aad[5];
    int n;

    count_up(key, sizeof(key), 1);
    count_up(iv, sizeof(iv), 0xa0);
    count_up(aad, sizeof(aad), 0x50);
    return ctx && EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, is_sealing) &&
           (is_sealing || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
                                              TAG_BYTES, tag) == 1) &&
           EVP_CipherUpdate(ctx, NULL, &n, aad, sizeof(aad)) == 1 &&
           EVP_CipherUpdate(ctx, data, &n, data, MESSAGE_BYTES) == 1 &&
           EVP_CipherFinal_ex(ctx, data, &n) == 1 &&
           (!is_sealing || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
                                               TAG_BYTES, tag) == 1);
}

static bool check_answer(const EVP_CIPHER *cipher,
                         const struct known_answer *answer, uint8_t *data,
                         uint8_t *plain)
{
    uint8_t tag[TAG_BYTES];

    make_message(data);
    make_message(plain);
    if (!run_cipher(cipher, true, data, tag) ||
        memcmp(tag, answer->tag, TAG_BYTES) != 0 ||
        !run_cipher(cipher, false, data, tag) ||
        memcmp(data, plain, MESSAGE_BYTES) != 0)
        return false;
    tag[TAG_BYTES - 1] ^= 1;
    return run_cipher(cipher, true, data, plain) &&
           !run_cipher(cipher, false, data, tag);
}

bool tls_gcm_is_right(struct ossl_lib_ctx_st *library, const char *properties)
{
    AUTO_FREE uint8_t *data = malloc(MESSAGE_BYTES);
    AUTO_FREE uint8_t *plain = malloc(MESSAGE_BYTES);

    if (!data || !plain)
        return false;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        AUTO(auto_cipher)
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, answers[i].cipher,
                                              properties);

        if (!cipher || !check_answer(cipher, &answers[i], data, plain))
            return false;
    }
    return true;
}
