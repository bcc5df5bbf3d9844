/*
 * gcm_provider.h - AES-GCM at the speed of vector AES, for OpenSSL.
 *
 * OpenSSL 3.0 does 4.8 GiB/s a core where the same core can do 14: VAES
 * support came with 3.1.  For older versions Intel's multi-buffer library does
 * the arithmetic, as a provider: libssl still makes keys, nonces and records,
 * and uses our provider only as the cipher.
 *
 * The provider lives in a library context of its own, beside OpenSSL's default
 * provider: other code of the process that uses OpenSSL
 * keeps its AES.
 */
#ifndef CW_TLS_GCM_PROVIDER_H
#define CW_TLS_GCM_PROVIDER_H

#include <stdbool.h>

#define TLS_GCM_PROVIDER "clonewire"

/* The property query to fetch with from tls_gcm_library(): ours where it has
 * the cipher. */
#define TLS_GCM_PROPERTIES "?provider=" TLS_GCM_PROVIDER

struct ossl_lib_ctx_st; /* OSSL_LIB_CTX */

/*
 * The library context that has our ciphers (of the process; never freed), or
 * NULL, which stands for OpenSSL's default context: this CPU, OpenSSL or build
 * does not benefit, or Intel's library failed tls_gcm_is_right(), which is
 * logged.  For TLS 1.3 only: 1.2 needs more cipher functions.  Any thread.
 */
struct ossl_lib_ctx_st *tls_gcm_library(void);

/*
 * Known-answer test: do the ciphers that library has for properties seal a
 * message of a TLS record's size to the known tag, open it again, and refuse it
 * with one bit changed?
 */
bool tls_gcm_is_right(struct ossl_lib_ctx_st *library, const char *properties);

#endif
