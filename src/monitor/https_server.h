/*
 * https_server.h - a small HTTPS server for probes and scrapes.  What
 * is asked and answered is the handler's: here are bytes.
 *
 * One thread, HTTPS_CLIENTS at a time, HTTPS_PATIENCE_MS for each from its
 * first byte to its last.  When all places are taken, a newcomer gets the
 * place of whoever has been there longest: nobody can hold the door shut by
 * being slow.  At most one newcomer every HTTPS_PACE_MS, so that a flood of
 * handshakes cannot take the CPU from the clone.  No client certificate is asked for, and nothing is told that
 * is worth one.
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
 * Answers what has come so far of a request: its in_len bytes at in, never
 * more than HTTPS_REQUEST_BYTES.  Returns the length of the answer, written
 * to out, head and body; 0: the request has not ended, read on.  Called on
 * the server's thread; must be quick.
 */
typedef size_t https_handler(void *opaque, const char *in, size_t in_len,
                             char out[HTTPS_REPLY_BYTES]);

/*
 * Listens on addr and starts answering.  The certificate is tls's own, or,
 * for a pre-shared key or tls NULL (TLS 1.2 will do then), one made now and
 * signed by itself.  tls is borrowed only during the call; handler and opaque
 * until https_close().
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
