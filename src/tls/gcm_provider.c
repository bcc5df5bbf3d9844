/*
 * gcm_provider.c - an OpenSSL provider of two ciphers, AES-128-GCM and
 * AES-256-GCM, on Intel's multi-buffer library.
 *
 *   init(key) ... for each record: init(iv) -> update(NULL, aad)
 *                 -> update(out, data)... -> final; tag before or after
 *
 * Implements only what TLS 1.3 needs of a cipher: a 12-byte IV, additional
 * data that comes first and in one piece, full-length tags.  It refuses
 * everything else and never generates an IV.
 */
#include "tls/gcm_provider.h"

#include <stddef.h>

#if CW_HAS_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "base/log.h"

#define IV_BYTES      12U
#define TAG_BYTES     16U
#define AAD_MAX       64U /* a TLS record has 5 */
#define CONTEXT_ALIGN 64U

/* OpenSSL 3.1 supports VAES itself. */
#define OPENSSL_WITH_VAES 0x30100000L

/* The functions of Intel's library for one key size. */
struct arithmetic {
    size_t key_bytes;
    aes_gcm_pre_t expand;
    aes_gcm_init_t begin;
    aes_gcm_enc_dec_update_t encrypt;
    aes_gcm_enc_dec_update_t decrypt;
    aes_gcm_enc_dec_finalize_t end_encrypt;
    aes_gcm_enc_dec_finalize_t end_decrypt;
};

/* One EVP_CIPHER_CTX. */
struct gcm {
    struct gcm_key_data key; /* first member, for its alignment */
    struct gcm_context_data state;
    const struct arithmetic *arithmetic;
    uint8_t iv[IV_BYTES];
    uint8_t aad[AAD_MAX];
    uint8_t tag[TAG_BYTES]; /* expected or computed */
    size_t aad_len;
    bool is_encrypting;
    bool has_key;
    bool has_iv;   /* set and not yet used: each IV is used once */
    bool is_begun; /* data, or its end, has arrived */
    bool has_tag;
};

static struct arithmetic aes128, aes256; /* filled once, then read-only */

/* ---- a context ---- */

static struct gcm *new_context(const struct arithmetic *arithmetic)
{
    size_t len = (sizeof(struct gcm) + CONTEXT_ALIGN - 1) &
                 ~(size_t)(CONTEXT_ALIGN - 1);
    struct gcm *gcm = aligned_alloc(CONTEXT_ALIGN, len);

    if (!gcm)
        return NULL;
    memset(gcm, 0, len);
    gcm->arithmetic = arithmetic;
    return gcm;
}

static void *new_aes128(void *provider)
{
    (void)provider;
    return new_context(&aes128);
}

static void *new_aes256(void *provider)
{
    (void)provider;
    return new_context(&aes256);
}

static void free_context(void *opaque)
{
    struct gcm *gcm = opaque;

    if (!gcm)
        return;
    OPENSSL_cleanse(gcm, sizeof(*gcm));
    free(gcm);
}

static int init(struct gcm *gcm, bool is_encrypting, const unsigned char *key,
                size_t key_len, const unsigned char *iv, size_t iv_len)
{
    if ((key && key_len != gcm->arithmetic->key_bytes) ||
        (iv && iv_len != IV_BYTES))
        return 0;
    gcm->is_encrypting = is_encrypting;
    gcm->is_begun = false;
    gcm->has_iv = false;
    gcm->aad_len = 0;
    if (key) {
        gcm->arithmetic->expand(key, &gcm->key);
        gcm->has_key = true;
    }
    if (iv) {
        memcpy(gcm->iv, iv, IV_BYTES);
        gcm->has_iv = true;
    }
    return 1;
}

/* ---- a message ---- */

/* Uses up the IV: the next message needs a new one. */
static bool begin(struct gcm *gcm)
{
    if (gcm->is_begun)
        return true;
    if (!gcm->has_key || !gcm->has_iv)
        return false;
    gcm->arithmetic->begin(&gcm->key, &gcm->state, gcm->iv, gcm->aad,
                           gcm->aad_len);
    gcm->has_iv = false;
    gcm->is_begun = true;
    return true;
}

static int add_aad(struct gcm *gcm, const unsigned char *in, size_t len)
{
    if (gcm->is_begun || len > AAD_MAX - gcm->aad_len)
        return 0;
    memcpy(gcm->aad + gcm->aad_len, in, len);
    gcm->aad_len += len;
    return 1;
}

static int update(void *opaque, unsigned char *out, size_t *out_len,
                  size_t out_size, const unsigned char *in, size_t len)
{
    struct gcm *gcm = opaque;

    *out_len = len;
    if (len == 0)
        return 1;
    if (!out)
        return add_aad(gcm, in, len);
    if (out_size < len || !begin(gcm))
        return 0;
    if (gcm->is_encrypting)
        gcm->arithmetic->encrypt(&gcm->key, &gcm->state, out, in, len);
    else
        gcm->arithmetic->decrypt(&gcm->key, &gcm->state, out, in, len);
    return 1;
}

static int final(void *opaque, unsigned char *out, size_t *out_len,
                 size_t out_size)
{
    struct gcm *gcm = opaque;
    uint8_t tag[TAG_BYTES];
    bool is_good;

    (void)out, (void)out_size;
    *out_len = 0;
    if (!begin(gcm))
        return 0;
    if (gcm->is_encrypting)
        gcm->arithmetic->end_encrypt(&gcm->key, &gcm->state, tag, TAG_BYTES);
    else
        gcm->arithmetic->end_decrypt(&gcm->key, &gcm->state, tag, TAG_BYTES);
    gcm->is_begun = false;
    gcm->aad_len = 0;
    is_good = gcm->is_encrypting ||
              (gcm->has_tag && CRYPTO_memcmp(tag, gcm->tag, TAG_BYTES) == 0);
    if (gcm->is_encrypting)
        memcpy(gcm->tag, tag, TAG_BYTES);
    gcm->has_tag = gcm->is_encrypting;
    OPENSSL_cleanse(tag, sizeof(tag));
    return is_good;
}

/* ---- parameters ---- */

static int set_params(void *opaque, const OSSL_PARAM params[])
{
    struct gcm *gcm = opaque;
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params,
                                                  OSSL_CIPHER_PARAM_AEAD_TAG);
    size_t iv_len = IV_BYTES;

    if (p && p->data) {
        if (gcm->is_encrypting || p->data_type != OSSL_PARAM_OCTET_STRING ||
            p->data_size != TAG_BYTES)
            return 0;
        memcpy(gcm->tag, p->data, TAG_BYTES);
        gcm->has_tag = true;
    }
    p = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_IVLEN);
    return !p || (OSSL_PARAM_get_size_t(p, &iv_len) && iv_len == IV_BYTES);
}

static int set_size(OSSL_PARAM params[], const char *name, size_t value)
{
    OSSL_PARAM *p = OSSL_PARAM_locate(params, name);

    return !p || OSSL_PARAM_set_size_t(p, value);
}

static int get_params_of(void *opaque, OSSL_PARAM params[])
{
    const struct gcm *gcm = opaque;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG);

    if (p &&
        (!gcm->is_encrypting || !gcm->has_tag || p->data_size > TAG_BYTES ||
         !OSSL_PARAM_set_octet_string(p, gcm->tag, p->data_size)))
        return 0;
    return set_size(params, OSSL_CIPHER_PARAM_IVLEN, IV_BYTES) &&
           set_size(params, OSSL_CIPHER_PARAM_AEAD_TAGLEN, TAG_BYTES) &&
           set_size(params, OSSL_CIPHER_PARAM_KEYLEN,
                    gcm->arithmetic->key_bytes);
}

static int get_params(OSSL_PARAM params[], size_t key_bytes)
{
    OSSL_PARAM *mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
    OSSL_PARAM *aead = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD);
    OSSL_PARAM *custom = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_CUSTOM_IV);

    return (!mode || OSSL_PARAM_set_uint(mode, EVP_CIPH_GCM_MODE)) &&
           (!aead || OSSL_PARAM_set_int(aead, 1)) &&
           (!custom || OSSL_PARAM_set_int(custom, 1)) &&
           set_size(params, OSSL_CIPHER_PARAM_BLOCK_SIZE, 1) &&
           set_size(params, OSSL_CIPHER_PARAM_IVLEN, IV_BYTES) &&
           set_size(params, OSSL_CIPHER_PARAM_KEYLEN, key_bytes);
}

static int get_params_aes128(OSSL_PARAM params[])
{
    return get_params(params, aes128.key_bytes);
}

static int get_params_aes256(OSSL_PARAM params[])
{
    return get_params(params, aes256.key_bytes);
}

static int encrypt_init(void *opaque, const unsigned char *key, size_t key_len,
                        const unsigned char *iv, size_t iv_len,
                        const OSSL_PARAM params[])
{
    return init(opaque, true, key, key_len, iv, iv_len) &&
           set_params(opaque, params);
}

static int decrypt_init(void *opaque, const unsigned char *key, size_t key_len,
                        const unsigned char *iv, size_t iv_len,
                        const OSSL_PARAM params[])
{
    return init(opaque, false, key, key_len, iv, iv_len) &&
           set_params(opaque, params);
}

/* ---- the provider ---- */

typedef void (*slot)(void);

#define CIPHER(bits)                                                     \
    {                                                                    \
        { OSSL_FUNC_CIPHER_NEWCTX, (slot)new_aes##bits },                \
            { OSSL_FUNC_CIPHER_FREECTX, (slot)free_context },            \
            { OSSL_FUNC_CIPHER_ENCRYPT_INIT, (slot)encrypt_init },       \
            { OSSL_FUNC_CIPHER_DECRYPT_INIT, (slot)decrypt_init },       \
            { OSSL_FUNC_CIPHER_UPDATE, (slot)update },                   \
            { OSSL_FUNC_CIPHER_FINAL, (slot) final },                    \
            { OSSL_FUNC_CIPHER_GET_PARAMS, (slot)get_params_aes##bits }, \
            { OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (slot)get_params_of },    \
            { OSSL_FUNC_CIPHER_SET_CTX_PARAMS, (slot)set_params },       \
        {                                                                \
            0, NULL                                                      \
        }                                                                \
    }

static const OSSL_DISPATCH aes128_slots[] = CIPHER(128);
static const OSSL_DISPATCH aes256_slots[] = CIPHER(256);

/* Same names as OpenSSL's own: libssl looks ciphers up by the second. */
static const OSSL_ALGORITHM ciphers[] = {
    { "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6",
      "provider=" TLS_GCM_PROVIDER, aes128_slots, NULL },
    { "AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46",
      "provider=" TLS_GCM_PROVIDER, aes256_slots, NULL },
    { NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_CIPHER ? ciphers : NULL;
}

static int start(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                 const OSSL_DISPATCH **out, void **provider)
{
    static const OSSL_DISPATCH slots[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (slot)query },
        { 0, NULL },
    };
    static char context;

    (void)core, (void)in;
    *out = slots;
    *provider = &context;
    return 1;
}

/* ---- choosing ---- */

static bool is_vaes_here(const IMB_MGR *manager)
{
    return (manager->features & IMB_CPUFLAGS_AVX512_T2) ==
           IMB_CPUFLAGS_AVX512_T2;
}

static void take_arithmetic(IMB_MGR *manager)
{
    init_mb_mgr_avx512(manager);
    aes128 = (struct arithmetic){
        16,
        manager->gcm128_pre,
        manager->gcm128_init,
        manager->gcm128_enc_update,
        manager->gcm128_dec_update,
        manager->gcm128_enc_finalize,
        manager->gcm128_dec_finalize,
    };
    aes256 = (struct arithmetic){
        32,
        manager->gcm256_pre,
        manager->gcm256_init,
        manager->gcm256_enc_update,
        manager->gcm256_dec_update,
        manager->gcm256_enc_finalize,
        manager->gcm256_dec_finalize,
    };
}

/* A process that activated the FIPS provider wants it to do the arithmetic,
 * even without a default property of "fips=yes", which would exclude ours. */
static bool is_fips_active(void)
{
    return OSSL_PROVIDER_available(NULL, "fips") == 1;
}

static OSSL_LIB_CTX *library; /* the result of choose() */

/* OpenSSL's own configuration counts in our context too: its providers may hold
 * our private key. */
static OSSL_LIB_CTX *open_library(void)
{
    OSSL_LIB_CTX *opened = OSSL_LIB_CTX_new();

    if (opened && OSSL_LIB_CTX_load_config(opened, NULL) >= 0 &&
        OSSL_PROVIDER_load(opened, "default") &&
        OSSL_PROVIDER_add_builtin(opened, TLS_GCM_PROVIDER, start) == 1 &&
        OSSL_PROVIDER_load(opened, TLS_GCM_PROVIDER))
        return opened;
    OSSL_LIB_CTX_free(opened);
    return NULL;
}

static void take_library(void)
{
    OSSL_LIB_CTX *opened = open_library();

    ERR_clear_error();
    if (opened && tls_gcm_is_right(opened, "provider=" TLS_GCM_PROVIDER)) {
        library = opened;
        return;
    }
    ERR_clear_error();
    log_warn("AES-GCM of Intel's library fails its known-answer test on this "
             "CPU: using OpenSSL's, which is slower");
    OSSL_LIB_CTX_free(opened);
}

static void choose(void)
{
    IMB_MGR *manager;

    if (OpenSSL_version_num() >= OPENSSL_WITH_VAES || is_fips_active())
        return;
    manager = alloc_mb_mgr(0);
    if (manager && is_vaes_here(manager)) {
        take_arithmetic(manager);
        take_library();
    }
    if (manager)
        free_mb_mgr(manager);
    log_debug("AES-GCM by %s", library ? "Intel's library (VAES)" : "OpenSSL");
}

struct ossl_lib_ctx_st *tls_gcm_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, choose);
    return library;
}

#else /* without the library: OpenSSL's own */

struct ossl_lib_ctx_st *tls_gcm_library(void)
{
    return NULL;
}

#endif
