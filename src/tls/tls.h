/*
 * tls.h - who we are, whom we trust, and which TLS we speak.
 *
 * One struct tls per process and role, immutable once open, shared by all
 * connections; when files are read again, a new one takes its place.  Identities are X.509 (certificate, key, CA) or a pre-shared
 * key; never both, never none.
 */
#ifndef CW_TLS_TLS_H
#define CW_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What a handshake agrees to speak. */
#define TLS_ALPN      "clonewire/1"
#define TLS_ALPN_HTTP "http/1.1"

#define TLS_KEY_BYTES 32U

/* A pre-shared key of 256 bits and its public name. */
struct tls_key {
    const char *identity; /* at most 128 bytes */
    const unsigned char *key;
};

struct tls_options {
    /*
     * X.509: paths of PEM files (symbolic links and any mode that lets us
     * read are fine), or the PEM text itself; borrowed.
     */
    const char *cert_file; /* our certificate, with its chain behind it */
    const char *key_file;
    const char *ca_file; /* whom we trust; nothing else is trusted */

    /*
     * TLS-PSK: lines "identity:hex-key", the file that psktool makes and
     * that nbdkit and QEMU read.  psk_identity: which line a source uses
     * (NULL: the only one).
     */
    const char *psk_file;
    const char *psk_identity;

    /* The one key, in memory in place of a file; borrowed by tls_open(). */
    const struct tls_key *psk_key;

    /*
     * Name the peer's certificate must carry.  SAN (DNS or IP) or, where the
     * certificate has no SAN of that type, the subject's CN.  A target gives
     * what it expects of a source (NULL: any certificate of that CA).  A
     * source gives --server-name, or NULL: the host it dials.
     */
    const char *peer_name;

    /*
     * Names with ":" or "," between them, IANA's, OpenSSL's or Go's; NULL:
     * our own.  Suites of TLS 1.3 and ciphers of 1.2 are two lists: where
     * none of a version is named, its own stay.
     */
    const char *ciphers;
    const char *groups;

    bool allow_tls12; /* TLS 1.3 only unless asked for */

    /*
     * Also HTTP/1.1 on the same port.  A client offers both protocols and
     * takes what the server prefers.  A server prefers its own, and a client
     * that asks for none speaks HTTP; it need not show a certificate in the
     * handshake (conn_check_peer() asks for it), but one that it shows must
     * be good.  Certificates only.
     */
    bool http;
    bool http_only; /* client, with http: does not offer our own */
};

struct tls;

/*
 * Reads the files and builds the context.  is_server: the target's role.
 * Fails with ERROR_USAGE (neither or both kinds of identity), ERROR_TLS
 * (unreadable, key and certificate do not fit, certificate expired: the text
 * names file and reason).  On success *tls is owned by the caller.
 */
int tls_open(const struct tls_options *options, bool is_server,
             struct tls **tls, struct error *err);

/*
 * Server: how many clients came with a pre-shared key that is not ours.
 * Whoever offers none (a port scan, a health check) does not count.
 */
unsigned tls_wrong_keys(const struct tls *tls);

/* Client: has a server had no TLS version that we offered?  Then it may have
 * an older one. */
bool tls_met_older(const struct tls *tls);

/*
 * Who we are, for messages: "CN=a, issued by CN=b", or "a pre-shared key".
 * Returns buf.
 */
const char *tls_own_name(const struct tls *tls, char *buf, size_t len);

/* The library we use and its version; has_fips: is its FIPS provider
 * active?  Returns buf. */
const char *tls_library(char *buf, size_t len, bool *has_fips);

/*
 * Makes a key for purpose that the same pair makes again: by HKDF-SHA256 of
 * the pre-shared key that peer_name is the identity of, or of our
 * certificate's private key, with peer_name, the name in the peer's.  False:
 * there is no such secret, or it cannot be had (a key in hardware).
 */
bool tls_derive_key(const struct tls *tls, const char *purpose,
                    const char *peer_name, unsigned char key[TLS_KEY_BYTES]);

/* Another owner of the same tls, for whom tls_close() is called, too.  Any
 * thread.  Returns tls. */
struct tls *tls_share(struct tls *tls);

/* The last owner's call frees it; connections own a share.  Tolerates NULL. */
void tls_close(struct tls *tls);

#endif
