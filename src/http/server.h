/*
 * server.h - the HTTP/1.1 server: reads a request and calls the handler of its
 * path.  A service is a table of routes; it is served on any connection, by
 * http_serve(), or on a port of its own, by an http_server.
 */
#ifndef CW_HTTP_SERVER_H
#define CW_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "http/request.h"
#include "net/addr.h"
#include "tls/tls.h"

/* Limits of an http_server. */
#define HTTP_SERVER_CLIENTS    4U    /* at the same time */
#define HTTP_SERVER_TIMEOUT_MS 5000U /* for a handshake and a request */
#define HTTP_SERVER_PACE_MS    10U   /* for each new client */

/* A row of a service's table. */
struct http_route {
    const char *path; /* NULL: every other path, in the last row */

    /* Answers the request and returns false, or returns true to keep it: then
     * the caller of http_serve() owns it.  NULL: answers 404. */
    bool (*handle)(void *opaque, struct request *request);

    bool is_get;    /* only GET and HEAD; other methods give 405 */
    unsigned flags; /* the service's own */
};

struct http_service {
    const struct http_route *routes;
    void *opaque; /* of the handlers; borrowed */
    bool is_open; /* to unknown clients, whose errors are not logged */
};

/*
 * Reads one request on conn (moved) and has it handled; waits at most until
 * deadline_ns for its head, and until stop_fd is readable.  Returns the
 * request if its handler keeps it, else NULL.
 */
struct request *http_serve(struct conn *conn, int stop_fd, uint64_t deadline_ns,
                           const struct http_service *service);

struct http_server;

/*
 * Serves service to any client, without a client certificate, on a port of its
 * own; tls and service: as in tls_open_public(), borrowed until
 * http_server_close().  A new client stops the oldest of HTTP_SERVER_CLIENTS,
 * so that slow clients cannot block it, and clients are accepted no faster than
 * one in HTTP_SERVER_PACE_MS, so that a flood of handshakes cannot take the CPU
 * from the clone.
 *
 * Fails with ERROR_USAGE or ERROR_SYSTEM (cannot listen), or ERROR_TLS.  The
 * caller owns *server on failure too.
 */
int http_server_open(const struct addr *addr, const struct tls *tls,
                     const struct http_service *service,
                     struct http_server **server, struct error *err);

/* Returns the first bound address, "[::]:9443", with the real port. */
const char *http_server_address(const struct http_server *server);

/* Stops all clients.  Accepts NULL and a partly opened server. */
void http_server_close(struct http_server *server);

#endif
