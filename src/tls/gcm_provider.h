/*
 * gcm_provider.h - AES-GCM at the speed of a CPU with vector AES, for OpenSSL.
 *
 * OpenSSL 3.0 does 4.8 GiB/s a core where the same core can do 14: it learnt
 * VAES in 3.1.  Until then Intel's multi-buffer library does the arithmetic,
 * as a provider: libssl still makes keys, nonces and records, and asks us
 * only for what a cipher does.
 */
#ifndef CW_TLS_GCM_PROVIDER_H
#define CW_TLS_GCM_PROVIDER_H

#define TLS_GCM_PROVIDER "clonewire"

/* The property query for TLS 1.2: once our provider is there, OpenSSL takes
 * it for whoever does not say otherwise. */
#define TLS_GCM_NOT_OURS "provider!=" TLS_GCM_PROVIDER

/*
 * The property query to fetch ciphers with ("?provider=clonewire": ours where
 * it has them and may), or NULL: this CPU, OpenSSL or build has no use for
 * it.  Good for TLS 1.3 alone: 1.2 wants more of a cipher.  Any thread.
 */
const char *tls_gcm_properties(void);

#endif
