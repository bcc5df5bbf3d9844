/*
 * https_private.h - one client of the HTTPS server, between https_server.c, which
 * polls, and https_client.c, which talks.
 */
#ifndef CW_MONITOR_HTTPS_PRIVATE_H
#define CW_MONITOR_HTTPS_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "monitor/https_server.h"

/*
 *   handshake -> reading -> writing -> closing
 *
 * CLOSING: all is sent and our side shut; what still comes is thrown away,
 * so that the kernel does not reset the connection under the answer.
 */
enum https_state {
    HTTPS_HANDSHAKE,
    HTTPS_READING,
    HTTPS_WRITING,
    HTTPS_CLOSING,
};

struct https_client {
    enum https_state state;
    int fd; /* owned */
    SSL *ssl;
    https_handler *handler;
    void *opaque;
    uint64_t since_ns; /* came then */
    short wants;       /* POLLIN or POLLOUT */
    size_t in_len;
    size_t out_len;
    size_t out_sent;
    char in[HTTPS_REQUEST_BYTES];
    char out[HTTPS_REPLY_BYTES];
};

/* Takes over fd (moved, also on failure).  NULL when there is no memory. */
struct https_client *https_client_open(int fd, SSL_CTX *ctx);

/* Goes on as far as it can without blocking.  False: it is over. */
bool https_client_step(struct https_client *client);

/* Tolerates NULL. */
void https_client_close(struct https_client *client);

/* ---- https_tls.c ---- */

/* A context for clients without a certificate; owned by the caller. */
SSL_CTX *https_tls_open(const struct tls *tls, struct error *err);

#endif
