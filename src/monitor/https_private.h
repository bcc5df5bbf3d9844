/*
 * https_private.h - one client of the HTTPS server.  https_server.c polls,
 * https_client.c does the I/O.
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
 * CLOSING: the response is sent and the write side is shut down.  Further input
 * is discarded, so that the kernel does not reset the connection before the
 * client has read the response.
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
    uint64_t since_ns; /* when it connected */
    short wants;       /* POLLIN or POLLOUT */
    size_t in_len;
    size_t out_len;
    size_t out_sent;
    char in[HTTPS_REQUEST_BYTES];
    char out[HTTPS_REPLY_BYTES];
};

/* Takes ownership of fd, also on failure.  Returns NULL if out of memory. */
struct https_client *https_client_open(int fd, SSL_CTX *ctx);

/* Makes progress without blocking.  Returns false at the end. */
bool https_client_step(struct https_client *client);

/* Accepts NULL. */
void https_client_close(struct https_client *client);

/* ---- https_tls.c ---- */

/* Returns a context for clients without a certificate; owned by the caller. */
SSL_CTX *https_tls_open(const struct tls *tls, struct error *err);

#endif
