/*
 * fips.c - an OpenSSL provider by the name of "fips" that can do nothing:
 * what a configuration activates, where no real one is packaged.
 */
#include <openssl/core_dispatch.h>

static int context;

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    (void)operation;
    *no_cache = 0;
    return NULL;
}

int OSSL_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                       const OSSL_DISPATCH **out, void **provider)
{
    static const OSSL_DISPATCH slots[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
        { 0, NULL },
    };

    (void)core;
    (void)in;
    *out = slots;
    *provider = &context;
    return 1;
}
