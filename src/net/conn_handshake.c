/* conn_handshake.c - from a socket to an authenticated peer. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/conn_private.h"
#include "net/tcp.h"
#include "net/tcp_connect.h"

/* 256 KiB gives nearly all of the gain from larger socket calls; a control
 * connection carries little data. */
enum {
    DATA_BUFFER_BYTES = 256 << 10,
    CONTROL_BUFFER_BYTES = 32 << 10
};

static inline void auto_conn(struct conn **conn)
{
    conn_close(*conn);
}

static void note_address(struct conn *conn)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getpeername(conn->fd, (struct sockaddr *)&sa, &len) < 0)
        snprintf(conn->peer_address, sizeof(conn->peer_address), "%s",
                 "unknown address");
    else
        addr_format((struct sockaddr *)&sa, len, conn->peer_address,
                    sizeof(conn->peer_address));
}

/* The SSL owns the BIO; its data stays ours. */
static int attach_bio(struct conn *conn)
{
    BIO *bio = BIO_new(conn->tls->bio_method);

    if (!bio)
        return -1;
    BIO_set_data(bio, &conn->bio);
    SSL_set_bio(conn->ssl, bio, bio);
    return 0;
}

/* Takes fd, also on failure. */
static struct conn *conn_new(int fd, struct tls *tls, enum conn_role role,
                             struct error *err)
{
    size_t capacity = role == CONN_DATA ? DATA_BUFFER_BYTES
                                        : CONTROL_BUFFER_BYTES;
    AUTO_FD int owned = fd;
    AUTO(auto_conn) struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "set up connection");
        return NULL;
    }
    conn->fd = take_fd(&owned);
    conn->role = role;
    conn->tls = tls_share(tls);
    conn->peer.tls = tls;
    atomic_init(&conn->is_shut, false);
    note_address(conn);

    ERR_clear_error();
    conn->ssl = SSL_new(tls->ctx);
    if (!socket_bio_init(&conn->bio, conn->fd, capacity) || !conn->ssl ||
        attach_bio(conn) < 0) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "set up connection");
        return NULL;
    }
    SSL_set_app_data(conn->ssl, &conn->peer);
    if (role == CONN_CONTROL) /* idle: keep no record buffers */
        SSL_set_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
    return TAKE_PTR(conn);
}

/* ---- handshake ---- */

static void note_peer_name(struct conn *conn)
{
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);

    if (cert)
        tls_name_show(cert, conn->peer_name, sizeof(conn->peer_name));
    else
        snprintf(conn->peer_name, sizeof(conn->peer_name), "%s",
                 conn->peer.psk_identity);
}

static bool is(const unsigned char *alpn, unsigned len, const char *protocol)
{
    return len == strlen(protocol) && memcmp(alpn, protocol, len) == 0;
}

/* Checks what OpenSSL leaves to us: our protocol agreed, our key used? */
static int check_agreed(struct conn *conn, struct error *err)
{
    const unsigned char *alpn = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(conn->ssl, &alpn, &len);
    conn->is_http = conn->tls->http &&
                    (len == 0 || is(alpn, len, TLS_ALPN_HTTP));
    if (!conn->is_http && !is(alpn, len, TLS_ALPN))
        return error_set(err, ERROR_TLS, 0,
                         "the %s speaks TLS but not %s (no common ALPN)",
                         tls_peer_word(conn->tls), TLS_ALPN);
    if (conn->tls->psk && SSL_session_reused(conn->ssl) != 1)
        return error_set(err, ERROR_TLS, 0,
                         "the %s did not use the pre-shared key",
                         tls_peer_word(conn->tls));
    return 0;
}

static int shake_hands(struct conn *conn, struct tls *tls, uint64_t deadline_ns,
                       struct error *err)
{
    int r;

    ERR_clear_error();
    conn->bio.deadline_ns = deadline_ns;
    r = conn->tls->is_server ? SSL_accept(conn->ssl) : SSL_connect(conn->ssl);
    if (r != 1 && tls_reason_is_version())
        atomic_store(&tls->met_older, true);
    if (r != 1)
        conn_explain_read(conn, SSL_get_error(conn->ssl, r), err);
    else
        r = check_agreed(conn, err) == 0 ? 1 : -1;
    conn->bio.deadline_ns = 0;
    conn->bio.stop_fd = 0; /* a stop must not cut off our close_notify */
    if (r != 1) {
        ERR_clear_error();
        conn_linger(conn);
        return error_wrap(err, "handshake with the %s at %s",
                          tls_peer_word(conn->tls), conn->peer_address);
    }
    conn->is_established = true;
    note_peer_name(conn);
    return 0;
}

static uint64_t deadline_of(const struct conn_options *options)
{
    return clock_now_ns() + options->handshake_timeout_ms * CLOCK_MS_NS;
}

/* The name to require: from the options, or the host we connected to (a
 * certificate's name has no trailing dot). */
static char *name_to_want(const struct addr *addr, const struct tls *tls)
{
    const char *name = tls->peer_name          ? tls->peer_name
                       : addr->host[0] != '\0' ? addr->host
                                               : "localhost";
    size_t len = strlen(name);

    return strndup(name, len > 1 && name[len - 1] == '.' ? len - 1 : len);
}

/* Sets Server Name Indication, which is for DNS names only (RFC 6066). */
static void set_sni(struct conn *conn)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, conn->wanted_name, address) != 1 &&
        inet_pton(AF_INET6, conn->wanted_name, address) != 1)
        SSL_set_tlsext_host_name(conn->ssl, conn->wanted_name);
}

int conn_dial(const struct addr *addr, struct tls *tls,
              const struct conn_options *options, struct conn **conn,
              struct error *err)
{
    uint64_t deadline_ns;
    int fd = tcp_connect(addr, options, &deadline_ns, err);
    AUTO(auto_conn) struct conn *c = NULL;

    if (fd < 0)
        return -1;
    c = conn_new(fd, tls, options->role, err);
    if (!c)
        return -1;
    c->bio.stop_fd = options->stop_fd;
    c->segment_bytes = options->segment_bytes;
    c->wanted_name = name_to_want(addr, tls);
    if (!c->wanted_name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "set up connection");
    set_sni(c);
    if (shake_hands(c, tls, deadline_ns, err) < 0)
        return -1;
    *conn = TAKE_PTR(c);
    return 0;
}

int conn_accept(int fd, struct tls *tls, const struct conn_options *options,
                struct conn **conn, struct error *err)
{
    AUTO(auto_conn) struct conn *c = conn_new(fd, tls, options->role, err);

    if (!c)
        return -1;
    c->bio.stop_fd = options->stop_fd;
    if (tls->peer_name) {
        c->wanted_name = strdup(tls->peer_name);
        if (!c->wanted_name)
            return error_set(err, ERROR_SYSTEM, ENOMEM, "set up connection");
    }
    if (tcp_tune(c->fd, options, err) < 0 ||
        shake_hands(c, tls, deadline_of(options), err) < 0)
        return -1;
    *conn = TAKE_PTR(c);
    return 0;
}

int conn_check_peer(const struct conn *conn, struct error *err)
{
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);
    char names[CONN_NAME_CHARS];

    if (conn->tls->psk)
        return 0;
    if (!cert)
        return error_set(err, ERROR_TLS, 0, "the %s sent no certificate",
                         tls_peer_word(conn->tls));
    if (!conn->wanted_name)
        return 0;
    if (SSL_is_server(conn->ssl) ? tls_client_matches(cert, conn->wanted_name)
                                 : tls_name_matches(cert, conn->wanted_name))
        return 0;
    tls_name_list(cert, names, sizeof(names));
    return error_set(err, ERROR_TLS, 0,
                     "name mismatch: wanted %s, certificate has %s",
                     conn->wanted_name, names);
}
