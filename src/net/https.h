/*
 * https.h - a small HTTPS server for probes and scrapes.
 *
 * One thread, HTTPS_CLIENTS at a time, HTTPS_PATIENCE_MS for each from its
 * first byte to its last.  When all places are taken, a newcomer gets the
 * place of whoever has been there longest: nobody can hold the door shut by
 * being slow.  At most one newcomer every HTTPS_PACE_MS, so that a flood of
 * handshakes cannot take the CPU from the clone.  No client certificate is asked for, and nothing is told that
 * is worth one.
 */
#ifndef CW_NET_HTTPS_H
#define CW_NET_HTTPS_H

#include <stddef.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/http.h"
#include "net/tls.h"

#define HTTPS_CLIENTS     4U
#define HTTPS_LISTENERS   8U
#define HTTPS_PATIENCE_MS 5000U
#define HTTPS_PACE_MS     10U
#define HTTPS_BODY_BYTES  16384U

struct https;

struct https_reply {
    enum http_result status;
    size_t body_len; /* 0: the status in words */
    char *body;      /* room for HTTPS_BODY_BYTES; borrowed */
};

/* Answers a request for path.  Called on the server's thread; must be
 * quick. */
typedef void https_handler(void *opaque, const char *path,
                           struct https_reply *reply);

/*
 * Listens on addr and starts answering.  The certificate is tls's own, or,
 * for a pre-shared key, one made now and signed by itself.  tls is borrowed
 * only during the call; handler and opaque until https_close().
 *
 * ERROR_USAGE, ERROR_SYSTEM: no listening there; ERROR_TLS.
 */
int https_open(const struct addr *addr, const struct tls *tls,
               https_handler *handler, void *opaque, struct https **https,
               struct error *err);

/* The first bound address, as "[::]:9443": for port 0. */
const char *https_address(const struct https *https);

/* Stops answering.  Tolerates NULL and half-opened. */
void https_close(struct https *https);

#endif
