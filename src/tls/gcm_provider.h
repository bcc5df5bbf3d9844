/*
 * gcm_provider.h - AES-GCM at the speed of vector AES, for OpenSSL.
 *
 * OpenSSL 3.0 does 4.8 GiB/s a core where the same core can do 14: VAES
 * support came with 3.1.  For older versions Intel's multi-buffer library does
 * the arithmetic, as a provider: libssl still makes keys, nonces and records,
 * and uses our provider only as the cipher.
 */
#ifndef CW_TLS_GCM_PROVIDER_H
#define CW_TLS_GCM_PROVIDER_H

#define TLS_GCM_PROVIDER "clonewire"

/* The property query for TLS 1.2: once our provider is loaded, OpenSSL prefers
 * it for every caller that does not exclude it. */
#define TLS_GCM_NOT_OURS "provider!=" TLS_GCM_PROVIDER

/*
 * The property query to fetch ciphers with ("?provider=clonewire": ours where
 * it has the cipher and may be used), or NULL if this CPU, OpenSSL or build
 * does not benefit.  For TLS 1.3 only: 1.2 needs more cipher functions.  Any
 * thread.
 */
const char *tls_gcm_properties(void);

#endif
