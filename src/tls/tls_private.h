/*
 * tls_private.h - what net/tls*.c and net/conn*.c share, and nobody else.
 *
 * A failed handshake is explained from three places: what our own callbacks
 * saw of the peer (struct tls_peer), the alert or reason that OpenSSL queued
 * (errors.c), and what the socket said (socket_bio.h).
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

/* What GnuTLS takes, and with it every peer that reads the same file. */
#define TLS_PSK_IDENTITY_MAX 128
#define TLS_PSK_KEY_MAX      64 /* bytes */

/*
 * AES-GCM is good for 2^24.5 full records under one key (RFC 8446, 5.5), or
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
    atomic_uint wrong_keys; /* any thread: see tls_wrong_keys() */
    atomic_bool met_older;  /* any thread: see tls_met_older() */
    uint64_t rekey_records; /* TLS_REKEY_RECORDS; a test lowers it */
};

/* What the callbacks learn of one connection's peer.  Reached from an SSL
 * through SSL_get_app_data(). */
struct tls_peer {
    const struct tls *tls;
    char refusal[320]; /* why we do not take its certificate, or "" */
    char psk_identity[TLS_PSK_IDENTITY_MAX + 1]; /* named in the handshake */
    bool is_psk_unknown; /* server: no such line in our file */
};

/* "source" or "target": the role of the other end. */
const char *tls_peer_word(const struct tls *tls);

/* Copies len bytes of the peer's for people: what is not printable ASCII
 * becomes '?', so that no certificate can write lines into our log. */
void tls_printable(char *out, size_t out_len, const void *text, size_t len);

/* ---- psk.c ---- */

int tls_psk_open(const char *path, const char *identity, bool is_server,
                 struct tls_psk **psk, struct error *err);
/* The same from memory, where there is only one. */
int tls_psk_take(const struct tls_key *key, struct tls_psk **psk,
                 struct error *err);
/* The callbacks find the keys through struct tls_peer. */
void tls_psk_install(SSL_CTX *ctx, bool is_server);
/* Copies the key of identity; its bytes, 0: there is none. */
size_t tls_psk_copy(const struct tls_psk *psk, const char *identity,
                    unsigned char key[TLS_PSK_KEY_MAX]);
void tls_psk_close(struct tls_psk *psk);

/* ---- cipher_policy.c ---- */

/* Lists as of tls_options; ERROR_USAGE when nothing of one can be used. */
int tls_policy_set_ciphers(SSL_CTX *ctx, const char *list, bool is_psk,
                           struct error *err);
int tls_policy_set_groups(SSL_CTX *ctx, const char *list, struct error *err);

/* ---- pem.c ---- */

int tls_pem_load_cert(struct tls *tls, const char *given, struct error *err);
int tls_pem_load_key(struct tls *tls, const struct tls_options *options,
                     struct error *err);
int tls_pem_load_ca(struct tls *tls, const char *given, struct error *err);

/* ---- cert_name.c ---- */

/* By SAN of name's type (DNS or IP); by CN where there is none. */
bool tls_name_matches(X509 *cert, const char *name);

/* To the letter, and nothing else. */
bool tls_name_is_common(const X509 *cert, const char *name);

/* Every name a certificate has: "DNS:a, IP:10.0.0.1, CN=b". */
void tls_name_list(X509 *cert, char *out, size_t len);

/* The one name to show for a peer: CN, else the first SAN. */
void tls_name_show(X509 *cert, char *out, size_t len);

/* ---- errors.c ---- */

/* Fits "2026-01-02 03:04:05 UTC". */
#define TLS_TIME_CHARS 32

const char *tls_reason_time(const ASN1_TIME *time, char *out, size_t len);
void tls_reason_subject(const X509_NAME *name, char *out, size_t len);

/* OpenSSL's verify callback: notes in struct tls_peer what is wrong. */
int tls_reason_verify(int is_ok, X509_STORE_CTX *store);

/*
 * Turns what OpenSSL queued on this thread into one sentence.  False, and
 * err untouched: it queued nothing of its own, so ask the socket.
 */
bool tls_reason_explain(const struct tls_peer *peer, bool is_established,
                        struct error *err);

/* Is what OpenSSL queued on this thread that there is no common version? */
bool tls_reason_is_version(void);

/* The first text in OpenSSL's queue, for errors about files; empties it. */
const char *tls_reason_text(void);

#endif
