/*
 * ipsec_mb_gcm.c - of Intel's multi-buffer library only what clonewire takes
 * of it: AES-GCM with VAES, 1.5 MB of 13.
 *
 * The Containerfile links it with the library's archive into a shared
 * library of the same name.  The library's own manager names every algorithm
 * there is, and so pulls them all in; this one names those of GCM.  What they are called is the library's private matter: this is for the
 * version of Debian 12, which the Containerfile begins with.
 */
#include <intel-ipsec-mb.h>
#include <stdlib.h>

uint64_t cpu_feature_detect(void);

#define KEY_SIZE(bits)                                                   \
    void aes_keyexp_##bits##_enc_avx2(const void *key, void *expanded);  \
    void aes_gcm_precomp_##bits##_vaes_avx512(struct gcm_key_data *key); \
    void aes_gcm_init_##bits##_vaes_avx512(                              \
        const struct gcm_key_data *key, struct gcm_context_data *state,  \
        const uint8_t *iv, uint8_t const *aad, uint64_t aad_len);        \
    void aes_gcm_enc_##bits##_update_vaes_avx512(                        \
        const struct gcm_key_data *key, struct gcm_context_data *state,  \
        uint8_t *out, const uint8_t *in, uint64_t len);                  \
    void aes_gcm_dec_##bits##_update_vaes_avx512(                        \
        const struct gcm_key_data *key, struct gcm_context_data *state,  \
        uint8_t *out, const uint8_t *in, uint64_t len);                  \
    void aes_gcm_enc_##bits##_finalize_vaes_avx512(                      \
        const struct gcm_key_data *key, struct gcm_context_data *state,  \
        uint8_t *tag, uint64_t tag_len);                                 \
    void aes_gcm_dec_##bits##_finalize_vaes_avx512(                      \
        const struct gcm_key_data *key, struct gcm_context_data *state,  \
        uint8_t *tag, uint64_t tag_len);                                 \
                                                                         \
    static void pre_##bits(const void *key, struct gcm_key_data *data)   \
    {                                                                    \
        aes_keyexp_##bits##_enc_avx2(key, data->expanded_keys);          \
        aes_gcm_precomp_##bits##_vaes_avx512(data);                      \
    }                                                                    \
                                                                         \
    static void take_##bits(IMB_MGR *manager)                            \
    {                                                                    \
        manager->gcm##bits##_pre = pre_##bits;                           \
        manager->gcm##bits##_init = aes_gcm_init_##bits##_vaes_avx512;   \
        manager->gcm##bits##_enc_update =                                \
            aes_gcm_enc_##bits##_update_vaes_avx512;                     \
        manager->gcm##bits##_dec_update =                                \
            aes_gcm_dec_##bits##_update_vaes_avx512;                     \
        manager->gcm##bits##_enc_finalize =                              \
            aes_gcm_enc_##bits##_finalize_vaes_avx512;                   \
        manager->gcm##bits##_dec_finalize =                              \
            aes_gcm_dec_##bits##_finalize_vaes_avx512;                   \
    }

KEY_SIZE(128)
KEY_SIZE(256)

IMB_MGR *alloc_mb_mgr(uint64_t flags)
{
    IMB_MGR *manager = calloc(1, sizeof(*manager));

    (void)flags;
    if (manager)
        manager->features = cpu_feature_detect();
    return manager;
}

void free_mb_mgr(IMB_MGR *manager)
{
    free(manager);
}

void init_mb_mgr_avx512(IMB_MGR *manager)
{
    take_128(manager);
    take_256(manager);
}
