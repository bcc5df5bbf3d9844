/*
 * conn_private.h - a connection's inside: conn_handshake.c makes it, conn.c
 * uses and ends it.
 */
#ifndef CW_NET_CONN_PRIVATE_H
#define CW_NET_CONN_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/conn.h"
#include "tls/socket_bio.h"
#include "tls/tls_private.h"

enum {
    CONN_NAME_CHARS = 256
};

/* How long our last words may take to reach the peer. */
#define CONN_FAREWELL_NS (CLOCK_SECOND_NS / 2)

struct conn {
    int fd;
    enum conn_role role;
    struct tls *tls; /* a share of it */
    SSL *ssl;
    struct socket_bio bio;
    struct tls_peer peer;
    bool is_established;
    bool is_http;           /* agreed by ALPN, or by saying nothing */
    uint64_t key_records;   /* sent under the present key, at most */
    struct error lost;      /* why nothing more can be received, once so */
    struct error unsent;    /* why nothing more can be sent, once so */
    unsigned segment_bytes; /* dialed with; as conn_options */
    char *wanted_name;      /* of the peer's certificate; NULL: any */
    char peer_address[80];
    char peer_name[CONN_NAME_CHARS];

    atomic_bool is_shut; /* the one field that other threads write */
};

/* Why did a read or the handshake fail?  TLS's own reason before the
 * socket's.  Returns -1. */
int conn_explain_read(const struct conn *conn, int ssl_error,
                      struct error *err);

/*
 * Waits, for a moment, until the peer has taken our last words.  Closing a
 * socket with unread data throws away what was sent and not yet taken, and
 * that would be the one sentence that tells the peer why.
 */
void conn_linger(const struct conn *conn);

#endif
