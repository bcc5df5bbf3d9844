#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/path.h"
#include "net/acceptor.h"

static const struct http_route *find_route(const struct http_route *route,
                                           const char *path)
{
    while (route->path && strcmp(route->path, path) != 0)
        route++;
    return route;
}

static void answer_code(struct request *request, enum http_code code)
{
    request_answer(request, code, HTTP_TEXT, http_reason(code));
}

/* A client that sends nothing (a port check) is not worth a warning. */
static void log_refusal(const struct http_service *service,
                        const struct request *request, const struct error *err)
{
    if (request->len > 0 && !service->is_open)
        log_warn_limited(request->peer, "refused %s: %s", request->peer,
                         err->text);
    else
        log_debug("%s: %s", request->peer, err->text);
}

/* As a handler. */
static bool handle(const struct http_service *service, struct request *request,
                   uint64_t deadline_ns)
{
    bool is_get;
    enum http_code code;
    struct error err;

    if (request_read_head(request, deadline_ns, &code, &err) < 0) {
        log_refusal(service, request, &err);
        if (code != 0)
            answer_code(request, code);
        return false;
    }
    is_get = request->head.verb == HTTP_VERB_GET ||
             request->head.verb == HTTP_VERB_HEAD;
    http_path_clean(request->head.path);
    request->route = find_route(service->routes, request->head.path);
    if (request->route->is_get && !is_get) {
        answer_code(request, HTTP_NOT_GET);
    } else if (request->route->handle) {
        return request->route->handle(service->opaque, request);
    } else {
        error_set(&err, ERROR_PROTOCOL, 0, "no such path: 404 Not Found");
        log_refusal(service, request, &err);
        request_answer(request, HTTP_NOT_FOUND, HTTP_TEXT,
                       "404 page not found\n");
    }
    return false;
}

struct request *http_serve(struct conn *conn, int stop_fd, uint64_t deadline_ns,
                           const struct http_service *service)
{
    struct request *request;

    conn_set_stop(conn, stop_fd);
    request = request_open(conn);
    if (!request) {
        log_warn_limited("", "no memory for a request");
        return NULL;
    }
    if (handle(service, request, deadline_ns)) {
        conn_set_stop(request->conn, 0); /* its owner stops it otherwise */
        return request;
    }
    request_close(request);
    return NULL;
}

/* ---- a port of its own ---- */

struct http_server {
    const struct http_service *service; /* borrowed */
    struct tls *tls;                    /* owned */
    struct acceptor *acceptor;          /* owned */
    char address[ADDR_CHARS];
};

/* The acceptor's callback. */
static void serve_client(void *opaque, int fd, int stop_fd)
{
    struct http_server *server = opaque;
    const struct conn_options options = {
        .role = CONN_CONTROL, /* small buffers */
        .handshake_timeout_ms = HTTP_SERVER_TIMEOUT_MS,
        .dead_peer_ms = HTTP_SERVER_TIMEOUT_MS,
        .stop_fd = stop_fd,
    };
    uint64_t deadline_ns = clock_now_ns() +
                           HTTP_SERVER_TIMEOUT_MS * CLOCK_MS_NS;
    struct conn *conn;
    struct error err;

    if (conn_accept(fd, server->tls, &options, &conn, &err) < 0)
        log_debug("%s", err.text);
    else
        request_close(http_serve(conn, stop_fd, deadline_ns, server->service));
}

int http_server_open(const struct addr *addr, const struct tls *tls,
                     const struct http_service *service,
                     struct http_server **server, struct error *err)
{
    struct http_server *s = calloc(1, sizeof(*s));
    const struct acceptor_options options = {
        .max_clients = HTTP_SERVER_CLIENTS,
        .pace_ms = HTTP_SERVER_PACE_MS,
        .serve = serve_client,
        .opaque = s,
    };

    const int *sockets;
    int r;

    *server = s;
    if (!s)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a port");
    s->service = service;
    if (tls_open_public(tls, &s->tls, err) < 0 ||
        acceptor_open(addr, &options, &s->acceptor, err) < 0)
        return -1;
    acceptor_sockets(s->acceptor, &sockets);
    r = addr_format_own(sockets[0], s->address);
    return r == 0 ? 0 : error_set(err, ERROR_SYSTEM, -r, "find the port");
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

void http_server_close(struct http_server *server)
{
    if (!server)
        return;
    acceptor_close(server->acceptor);
    tls_close(server->tls);
    free(server);
}
