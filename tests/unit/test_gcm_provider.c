/* Our AES-GCM against OpenSSL's own, and what it refuses. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "tls/gcm_provider.h"
#include "unit.h"

#define MAX_BYTES 20000U
#define TAG_BYTES 16
#define AAD_BYTES 5 /* of a TLS record */

static const char *const names[] = { "AES-128-GCM", "AES-256-GCM",
                                     "id-aes128-GCM", "id-aes256-GCM" };

struct message {
    uint8_t key[32];
    uint8_t iv[12];
    uint8_t aad[AAD_BYTES];
    uint8_t plain[MAX_BYTES];
    uint8_t sealed[MAX_BYTES];
    uint8_t tag[TAG_BYTES];
    size_t len;
};

static unsigned seed;

static void fill(void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(rand_r(&seed) >> 5);
}

static void make(struct message *m)
{
    memset(m, 0, sizeof(*m));
    fill(m->key, sizeof(m->key));
    fill(m->iv, sizeof(m->iv));
    fill(m->aad, sizeof(m->aad));
    m->len = (size_t)rand_r(&seed) % (rand_r(&seed) % 2 ? 64 : MAX_BYTES);
    fill(m->plain, m->len);
}

static EVP_CIPHER *fetch(const char *name, const char *properties)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(tls_gcm_library(), name, properties);

    assert_non_null(cipher);
    return cipher;
}

static EVP_CIPHER *ours(const char *name)
{
    EVP_CIPHER *cipher = fetch(name, TLS_GCM_PROPERTIES);

    assert_string_equal(
        OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher)),
        TLS_GCM_PROVIDER);
    return cipher;
}

/* Key and IV in two steps, as libssl does. */
static EVP_CIPHER_CTX *begin(const EVP_CIPHER *cipher, const struct message *m,
                             int is_sealing)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    assert_non_null(ctx);
    assert_int_equal(
        EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, is_sealing), 1);
    assert_int_equal(
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL), 1);
    assert_int_equal(EVP_CipherInit_ex(ctx, NULL, NULL, m->key, NULL, -1), 1);
    assert_int_equal(
        EVP_CipherInit_ex(ctx, NULL, NULL, NULL, m->iv, is_sealing), 1);
    assert_int_equal(EVP_CipherUpdate(ctx, NULL, &n, m->aad, AAD_BYTES), 1);
    return ctx;
}

/* In pieces, and in place. */
static void run(EVP_CIPHER_CTX *ctx, uint8_t *data, size_t len)
{
    int n;

    for (size_t at = 0, piece; at < len; at += piece) {
        piece = 1 + (size_t)rand_r(&seed) % (len - at);
        assert_int_equal(
            EVP_CipherUpdate(ctx, data + at, &n, data + at, (int)piece), 1);
        assert_int_equal(n, (int)piece);
    }
}

static void seal(const EVP_CIPHER *cipher, struct message *m)
{
    EVP_CIPHER_CTX *ctx = begin(cipher, m, 1);
    int n;

    memcpy(m->sealed, m->plain, m->len);
    run(ctx, m->sealed, m->len);
    assert_int_equal(EVP_CipherFinal_ex(ctx, NULL, &n), 1);
    assert_int_equal(
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, m->tag), 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Does it open, and to what was sealed? */
static bool opens(const EVP_CIPHER *cipher, const struct message *m)
{
    EVP_CIPHER_CTX *ctx = begin(cipher, m, 0);
    uint8_t *data = malloc(MAX_BYTES);
    uint8_t tag[TAG_BYTES];
    bool ok;
    int n;

    assert_non_null(data);
    memcpy(data, m->sealed, m->len);
    memcpy(tag, m->tag, sizeof(tag));
    assert_int_equal(
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag), 1);
    run(ctx, data, m->len);
    ok = EVP_CipherFinal_ex(ctx, NULL, &n) == 1;
    assert_true(!ok || memcmp(data, m->plain, m->len) == 0);
    free(data);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static void test_agrees_with_openssl(void **state)
{
    struct message *mine = malloc(sizeof(*mine));
    struct message *theirs = malloc(sizeof(*theirs));

    (void)state;
    assert_true(mine && theirs);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        EVP_CIPHER *a = ours(names[i]);
        EVP_CIPHER *b = fetch(names[i], "provider=default");

        CASE(names[i]);
        for (unsigned k = 0; k < 200; k++) {
            make(mine);
            *theirs = *mine;
            seal(a, mine);
            seal(b, theirs);
            assert_memory_equal(mine, theirs, sizeof(*mine));
            assert_true(opens(a, theirs));
            assert_true(opens(b, mine));
        }
        EVP_CIPHER_free(a);
        EVP_CIPHER_free(b);
    }
    free(mine);
    free(theirs);
}

static void test_any_changed_bit_is_refused(void **state)
{
    struct message *m = malloc(sizeof(*m));
    EVP_CIPHER *cipher = ours(names[0]);

    (void)state;
    assert_non_null(m);
    make(m);
    m->len = 100;
    seal(cipher, m);
    assert_true(opens(cipher, m));
    for (unsigned bit = 0; bit < 8 * TAG_BYTES; bit++) {
        m->tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(opens(cipher, m));
        m->tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * AAD_BYTES; bit++) {
        m->aad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(opens(cipher, m));
        m->aad[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned i = 0; i < m->len; i++) {
        m->sealed[i] ^= 0x80;
        assert_false(opens(cipher, m));
        m->sealed[i] ^= 0x80;
    }
    assert_true(opens(cipher, m));
    EVP_CIPHER_free(cipher);
    free(m);
}

/* An IV seals one message: a second one without a new IV does not begin. */
static void test_an_iv_is_used_once(void **state)
{
    struct message *m = malloc(sizeof(*m));
    EVP_CIPHER *cipher = ours(names[0]);
    EVP_CIPHER_CTX *ctx;
    int n;

    (void)state;
    assert_non_null(m);
    make(m);
    ctx = begin(cipher, m, 1);
    assert_int_equal(EVP_CipherUpdate(ctx, m->sealed, &n, m->plain, 32), 1);
    assert_int_equal(EVP_CipherFinal_ex(ctx, NULL, &n), 1);
    assert_int_equal(EVP_CipherUpdate(ctx, m->sealed, &n, m->plain, 32), 0);
    assert_int_equal(EVP_CipherFinal_ex(ctx, NULL, &n), 0);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    free(m);
}

static void test_what_tls_does_not_ask_is_refused(void **state)
{
    struct message *m = malloc(sizeof(*m));
    EVP_CIPHER *cipher = ours(names[0]);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t tag[TAG_BYTES];
    int n;

    (void)state;
    assert_true(m && ctx);
    make(m);
    assert_int_equal(EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, 1), 1);
    assert_int_equal(EVP_CipherUpdate(ctx, m->sealed, &n, m->plain, 32), 0);
    assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 8, NULL) <=
                0);
    assert_int_equal(EVP_CipherInit_ex(ctx, NULL, NULL, m->key, m->iv, 1), 1);
    assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
                                    tag) <= 0); /* before there is one */
    assert_int_equal(EVP_CipherUpdate(ctx, m->sealed, &n, m->plain, 32), 1);
    assert_int_equal(EVP_CipherUpdate(ctx, NULL, &n, m->aad, AAD_BYTES), 0);
    EVP_CIPHER_CTX_free(ctx);

    /* Opened without a tag to compare with: never good. */
    seal(cipher, m);
    ctx = begin(cipher, m, 0);
    run(ctx, m->sealed, m->len);
    assert_int_equal(EVP_CipherFinal_ex(ctx, NULL, &n), 0);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    free(m);
}

/* The default provider still does everything else. */
static void test_the_rest_is_openssls(void **state)
{
    EVP_CIPHER *other = fetch("ChaCha20-Poly1305", TLS_GCM_PROPERTIES);
    EVP_MD *digest = EVP_MD_fetch(tls_gcm_library(), "SHA256",
                                  TLS_GCM_PROPERTIES);

    (void)state;
    assert_non_null(digest);
    assert_string_equal(
        OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(other)), "default");
    EVP_CIPHER_free(other);
    EVP_MD_free(digest);
}

/* Who embeds us, and never asked for our provider, does not get it. */
static void test_other_contexts_keep_openssls(void **state)
{
    EVP_CIPHER *theirs = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);

    (void)state;
    assert_non_null(theirs);
    assert_string_equal(
        OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(theirs)), "default");
    assert_int_equal(OSSL_PROVIDER_available(NULL, TLS_GCM_PROVIDER), 0);
    EVP_CIPHER_free(theirs);
}

/* ---- a provider that seals nothing ---- */

static int no_cipher_init(void *ctx, const unsigned char *key, size_t key_len,
                          const unsigned char *iv, size_t iv_len,
                          const OSSL_PARAM params[])
{
    (void)ctx, (void)key, (void)key_len, (void)iv, (void)iv_len, (void)params;
    return 1;
}

static void *no_cipher_new(void *provider)
{
    (void)provider;
    return malloc(1);
}

static int no_cipher_update(void *ctx, unsigned char *out, size_t *out_len,
                            size_t size, const unsigned char *in, size_t len)
{
    (void)ctx, (void)size;
    if (out)
        memmove(out, in, len);
    *out_len = len;
    return 1;
}

static int no_cipher_final(void *ctx, unsigned char *out, size_t *out_len,
                           size_t size)
{
    (void)ctx, (void)out, (void)size;
    *out_len = 0;
    return 1;
}

static int no_cipher_params(OSSL_PARAM params[])
{
    OSSL_PARAM *iv = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_IVLEN);
    OSSL_PARAM *key = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_KEYLEN);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_BLOCK_SIZE);

    return (!iv || OSSL_PARAM_set_size_t(iv, 12)) &&
           (!key || OSSL_PARAM_set_size_t(key, 16)) &&
           (!block || OSSL_PARAM_set_size_t(block, 1));
}

static int no_cipher_ctx_params(void *ctx, OSSL_PARAM params[])
{
    OSSL_PARAM *tag = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG);
    uint8_t zeros[TAG_BYTES] = { 0 };

    (void)ctx;
    return no_cipher_params(params) &&
           (!tag || OSSL_PARAM_set_octet_string(tag, zeros, TAG_BYTES));
}

static int no_cipher_set(void *ctx, const OSSL_PARAM params[])
{
    (void)ctx, (void)params;
    return 1;
}

static const OSSL_ALGORITHM *no_cipher_query(void *provider, int operation,
                                             int *no_cache)
{
    typedef void (*slot)(void);
    static const OSSL_DISPATCH slots[] = {
        { OSSL_FUNC_CIPHER_NEWCTX, (slot)no_cipher_new },
        { OSSL_FUNC_CIPHER_FREECTX, (slot)free },
        { OSSL_FUNC_CIPHER_ENCRYPT_INIT, (slot)no_cipher_init },
        { OSSL_FUNC_CIPHER_DECRYPT_INIT, (slot)no_cipher_init },
        { OSSL_FUNC_CIPHER_UPDATE, (slot)no_cipher_update },
        { OSSL_FUNC_CIPHER_FINAL, (slot)no_cipher_final },
        { OSSL_FUNC_CIPHER_GET_PARAMS, (slot)no_cipher_params },
        { OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (slot)no_cipher_ctx_params },
        { OSSL_FUNC_CIPHER_SET_CTX_PARAMS, (slot)no_cipher_set },
        { 0, NULL },
    };
    static const OSSL_ALGORITHM ciphers[] = {
        { "AES-128-GCM", "provider=broken", slots, NULL },
        { "AES-256-GCM", "provider=broken", slots, NULL },
        { NULL, NULL, NULL, NULL },
    };

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_CIPHER ? ciphers : NULL;
}

static int start_broken(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                        const OSSL_DISPATCH **out, void **provider)
{
    static const OSSL_DISPATCH slots[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))no_cipher_query },
        { 0, NULL },
    };

    (void)core, (void)in;
    *out = slots;
    *provider = &seed;
    return 1;
}

static void test_known_answers(void **state)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

    (void)state;
    assert_int_equal(OSSL_PROVIDER_add_builtin(library, "broken", start_broken),
                     1);
    assert_non_null(OSSL_PROVIDER_load(library, "broken"));
    assert_non_null(OSSL_PROVIDER_load(library, "default"));
    assert_true(tls_gcm_is_right(tls_gcm_library(), TLS_GCM_PROPERTIES));
    assert_true(tls_gcm_is_right(NULL, NULL));
    assert_true(tls_gcm_is_right(library, "provider=default"));
    assert_false(tls_gcm_is_right(library, "provider=broken"));
    assert_false(tls_gcm_is_right(library, "provider=missing"));
    OSSL_LIB_CTX_free(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_contexts_keep_openssls),
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_agrees_with_openssl),
        cmocka_unit_test(test_any_changed_bit_is_refused),
        cmocka_unit_test(test_an_iv_is_used_once),
        cmocka_unit_test(test_what_tls_does_not_ask_is_refused),
        cmocka_unit_test(test_the_rest_is_openssls),
    };

    if (!tls_gcm_library()) {
        print_message("skipped: OpenSSL's own AES-GCM is used here\n");
        return 77;
    }
    seed = (unsigned)time(NULL);
    print_message("    seed %u\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
