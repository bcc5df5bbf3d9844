/*
 * conn_private.h - the internals of a connection: conn_handshake.c creates it,
 * conn.c uses and closes it.
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

/* Maximum time for our last data to reach the peer. */
#define CONN_LINGER_NS (CLOCK_SECOND_NS / 2)

struct conn {
    int fd;
    enum conn_role role;
    struct tls *tls; /* a reference */
    SSL *ssl;
    struct socket_bio bio;
    struct tls_peer peer;
    bool is_established;
    bool is_http;           /* agreed by ALPN, or no ALPN */
    uint64_t key_records;   /* sent under the current key, at most */
    struct error lost;      /* why receiving has failed, once it has */
    struct error unsent;    /* why sending has failed, once it has */
    unsigned segment_bytes; /* used to connect; as in conn_options */
    char *wanted_name;      /* required in the peer's certificate; NULL: any */
    char peer_address[ADDR_CHARS];
    char peer_name[CONN_NAME_CHARS];

    atomic_bool is_shut; /* the only field that other threads write */
};

/* Explains a failed read or handshake: TLS's reason, else the socket's.
 * Returns -1. */
int conn_explain_read(const struct conn *conn, int ssl_error,
                      struct error *err);

/*
 * Waits briefly until the peer has received our last data.  Closing a socket
 * with unread data discards sent data that the peer has not received yet, and
 * that would be the message with the reason.
 */
void conn_linger(const struct conn *conn);

#endif
