/*
 * tls_private.h - private to net/tls*.c and net/conn*.c.
 *
 * Three sources explain a failed handshake: what our callbacks saw of the peer
 * (struct tls_peer), the alert or reason that OpenSSL queued (errors.c), and
 * the socket's state (socket_bio.h).
 */
#ifndef CW_TLS_TLS_PRIVATE_H
#define CW_TLS_TLS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/error.h"
#include "tls/tls.h"

/* GnuTLS's limit, and so that of every peer that reads the same file. */
#define TLS_PSK_IDENTITY_MAX 128
#define TLS_PSK_KEY_MAX      64 /* bytes */

/*
 * AES-GCM is safe for 2^24.5 full records under one key (RFC 8446, 5.5), or
 * 360 GiB; OpenSSL does not count.  We change keys at a third of that.
 */
#define TLS_REKEY_RECORDS (UINT64_C(1) << 23)

struct tls_psk;

struct tls {
    atomic_uint owners;
    SSL_CTX *ctx;
    struct tls *modern; /* server, owned: for clients with TLS 1.3; or NULL */
    BIO_METHOD *bio_method;
    struct tls_psk *psk; /* NULL: certificates */
    char *peer_name;     /* NULL: see tls_options */
    bool is_server;
    bool allow_tls12;
    bool http_only;
    bool http;
    atomic_bool met_older;  /* any thread: see tls_met_older() */
    uint64_t rekey_records; /* TLS_REKEY_RECORDS; a test lowers it */
};

/* What the callbacks learn about the peer of one connection; found from an SSL
 * through SSL_get_app_data(). */
struct tls_peer {
    const struct tls *tls;
    char refusal[320]; /* why we reject its certificate, or "" */
    char psk_identity[TLS_PSK_IDENTITY_MAX + 1]; /* from the handshake */
    bool is_psk_unknown; /* server: our file has no such line */
};

static inline void auto_x509(X509 **cert)
{
    X509_free(*cert);
}

static inline void auto_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

/* "source" or "target": the role of the other end. */
const char *tls_peer_word(const struct tls *tls);

/*
 * Copies len bytes from the peer for messages: replaces non-printable and
 * non-ASCII bytes by '?', so that a certificate cannot add lines to our log.
 */
void tls_printable(char *out, size_t out_len, const void *text, size_t len);

/* ---- psk.c ---- */

int tls_psk_open(const char *path, const char *identity, bool is_server,
                 struct tls_psk **psk, struct error *err);
/* The same from memory, for a single key. */
int tls_psk_take(const struct tls_key *key, struct tls_psk **psk,
                 struct error *err);
/* The callbacks find the keys through struct tls_peer. */
void tls_psk_install(SSL_CTX *ctx, bool is_server);
/* Copies the key of identity and returns its length; 0: there is none. */
size_t tls_psk_copy(const struct tls_psk *psk, const char *identity,
                    unsigned char key[TLS_PSK_KEY_MAX]);
void tls_psk_close(struct tls_psk *psk);

/* ---- cipher_policy.c ---- */

/* Lists as in tls_options; ERROR_USAGE if no name in a list is usable. */
int tls_policy_set_ciphers(SSL_CTX *ctx, const char *list, bool is_psk,
                           struct error *err);
int tls_policy_set_groups(SSL_CTX *ctx, const char *list, struct error *err);

/* ---- pem.c ---- */

int tls_pem_load_cert(struct tls *tls, const char *given, struct error *err);
int tls_pem_load_key(struct tls *tls, const struct tls_options *options,
                     struct error *err);
int tls_pem_load_ca(struct tls *tls, const char *given, struct error *err);

/* ---- self_signed.c ---- */

/* Gives ctx a new key and a certificate for it, that no client can verify. */
bool tls_self_signed_use(SSL_CTX *ctx);

/* ---- cert_name.c ---- */

/* By the SAN of name's type (DNS or IP); by CN if there is none. */
bool tls_name_matches(X509 *cert, const char *name);

/* Of a client: its exact CN, as KubeVirt CDI compares it, or its SAN. */
bool tls_client_matches(X509 *cert, const char *name);

/* Every name in a certificate: "DNS:a, IP:10.0.0.1, CN=b". */
void tls_name_list(X509 *cert, char *out, size_t len);

/* The name to show for a peer: CN, else the first SAN. */
void tls_name_show(X509 *cert, char *out, size_t len);

/* ---- errors.c ---- */

/* Fits "2026-01-02 03:04:05 UTC". */
#define TLS_TIME_CHARS 32

const char *tls_reason_time(const ASN1_TIME *time, char *out, size_t len);
void tls_reason_subject(const X509_NAME *name, char *out, size_t len);

/* OpenSSL's verify callback: records the problem in struct tls_peer. */
int tls_reason_verify(int is_ok, X509_STORE_CTX *store);

/*
 * Turns the errors that OpenSSL queued on this thread into one sentence.
 * Returns false and leaves err unchanged if TLS queued none: check the socket
 * then.
 */
bool tls_reason_explain(const struct tls_peer *peer, bool is_established,
                        struct error *err);

/* Did OpenSSL queue, on this thread, that there is no common version? */
bool tls_reason_is_version(void);

/* The first text in OpenSSL's queue, for file errors; empties the queue. */
const char *tls_reason_text(void);

#endif
