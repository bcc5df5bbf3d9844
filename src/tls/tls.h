/*
 * tls.h - our identity, whom we trust, and the TLS versions we speak.
 *
 * One struct tls per process and role, immutable once open, shared by all
 * connections; a reload of the files replaces it.  The identity is X.509
 * (certificate, key, CA) or a pre-shared key: exactly one of them.
 */
#ifndef CW_TLS_TLS_H
#define CW_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The protocols that a handshake can agree on. */
#define TLS_ALPN      "clonewire/1"
#define TLS_ALPN_HTTP "http/1.1"

#define TLS_KEY_BYTES 32U

/* A 256-bit pre-shared key and its public name. */
struct tls_key {
    const char *identity; /* at most 128 bytes */
    const unsigned char *key;
};

struct tls_options {
    /*
     * X.509: paths of PEM files (we follow symbolic links and accept any
     * readable mode), or the PEM text itself; borrowed.
     */
    const char *cert_file; /* our certificate, followed by its chain */
    const char *key_file;
    const char *ca_file; /* the only CAs that we trust */

    /*
     * TLS-PSK: lines "identity:hex-key", the format that psktool writes and
     * nbdkit and QEMU read.  psk_identity: the line that a source uses (NULL:
     * the only one).
     */
    const char *psk_file;
    const char *psk_identity;

    /* The only key, in memory instead of a file; borrowed by tls_open(). */
    const struct tls_key *psk_key;

    /*
     * Name that the peer's certificate must carry: SAN (DNS or IP) or, if the
     * certificate has no SAN of that type, the subject's CN.  A target sets
     * the name it expects of a source (NULL: any certificate of that CA).  A
     * source sets --server-name, or NULL: the host it connects to.
     */
    const char *peer_name;

    /*
     * Names separated by ":" or ",", in IANA's, OpenSSL's or Go's spelling;
     * NULL: our own list.  Suites of TLS 1.3 and ciphers of 1.2 are two lists:
     * if no name belongs to a version, that version keeps its own list.
     */
    const char *ciphers;
    const char *groups;

    bool allow_tls12; /* TLS 1.3 only, unless requested */
    bool openssl_aes; /* even where tls_gcm_library() is faster */

    /*
     * Also accept HTTP/1.1 on the same port.  A client offers both protocols
     * and accepts the server's preference.  A server prefers our own, and
     * treats a client without ALPN as HTTP; such a client may omit its
     * certificate in the handshake (conn_check_peer() requires it), but one
     * that it shows must be valid.  Certificates only.
     */
    bool http;
    bool http_only; /* client, with http: do not offer our own protocol */
};

struct tls;

/*
 * Reads the files and builds the context.  is_server: the target's role. Fails
 * with ERROR_USAGE (neither or both kinds of identity) or ERROR_TLS
 * (unreadable, key and certificate do not match, certificate expired: the
 * message names file and reason).  On success, the caller owns *tls.
 */
int tls_open(const struct tls_options *options, bool is_server,
             struct tls **tls, struct error *err);

/*
 * Opens a server for any client: it requests no certificate and speaks only
 * HTTP/1.1.  It shows own's certificate and allows own's TLS versions; if own
 * has a pre-shared key, or is NULL (TLS 1.2 is allowed then), a new self-signed
 * certificate.  ERROR_TLS, ERROR_SYSTEM; own is not used afterwards.
 */
int tls_open_public(const struct tls *own, struct tls **tls, struct error *err);

/* Client: has a server rejected every TLS version that we offered?  It may
 * then have an older one. */
bool tls_met_older(const struct tls *tls);

/*
 * Our identity, for messages: "CN=a, issued by CN=b", or "a pre-shared key".
 * Returns buf.
 */
const char *tls_own_name(const struct tls *tls, char *buf, size_t len);

/* Name and version of the TLS library; has_fips: is its FIPS provider active?
 * Returns buf. */
const char *tls_library(char *buf, size_t len, bool *has_fips);

/*
 * Derives a key for purpose that the same pair of peers derives again: by
 * HKDF-SHA256 from the pre-shared key with the identity peer_name, or from our
 * certificate's private key and peer_name, the name in the peer's certificate.
 * Returns false if there is no such secret or it is not accessible (a key in
 * hardware).
 */
bool tls_derive_key(const struct tls *tls, const char *purpose,
                    const char *peer_name, unsigned char key[TLS_KEY_BYTES]);

/* Takes another reference to tls; each needs its own tls_close().  Any thread.
 * Returns tls. */
struct tls *tls_share(struct tls *tls);

/* Drops a reference, the last one frees tls; connections hold one.  Accepts
 * NULL. */
void tls_close(struct tls *tls);

#endif
