/*
 * https_server.h - a small HTTPS server for probes and scrapes.  It transports
 * bytes; the handler parses requests and writes responses.
 *
 * One thread serves HTTPS_CLIENTS at a time, each for HTTPS_PATIENCE_MS in
 * total.  When all slots are in use, a new client evicts the oldest one, so a
 * slow client cannot block the server.  It accepts at most one client per
 * HTTPS_PACE_MS, so that a flood of handshakes cannot take the CPU from the
 * clone.  It does not request a client certificate, and serves no secrets.
 */
#ifndef CW_MONITOR_HTTPS_SERVER_H
#define CW_MONITOR_HTTPS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/addr.h"
#include "tls/tls.h"

#define HTTPS_CLIENTS       4U
#define HTTPS_LISTENERS     8U
#define HTTPS_PATIENCE_MS   5000U
#define HTTPS_PACE_MS       10U
#define HTTPS_REQUEST_BYTES 8192U
#define HTTPS_REPLY_BYTES   16640U

struct https;

/*
 * Handles the in_len bytes of a request received so far, at most
 * HTTPS_REQUEST_BYTES.  Writes a response, head and body, to out and returns
 * its length; returns 0 if the request is incomplete.  Runs on the server's
 * thread and must be quick.
 */
typedef size_t https_handler(void *opaque, const char *in, size_t in_len,
                             char out[HTTPS_REPLY_BYTES]);

/*
 * Listens on addr and starts the server.  The certificate is tls's; with a
 * pre-shared key, or if tls is NULL (which also allows TLS 1.2), it is a new
 * self-signed one.  tls is borrowed during the call; handler and opaque until
 * https_close().
 *
 * Fails with ERROR_USAGE or ERROR_SYSTEM (cannot listen), or ERROR_TLS.
 */
int https_open(const struct addr *addr, const struct tls *tls,
               https_handler *handler, void *opaque, struct https **https,
               struct error *err);

/* Returns the first bound address, "[::]:9443", with the real port. */
const char *https_address(const struct https *https);

/* Stops the server.  Accepts NULL and a partly opened one. */
void https_close(struct https *https);

#endif
