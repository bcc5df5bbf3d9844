/*
 * upload_router.h - decides which clients may upload, and when: the response to
 * an HTTP request before its body is read.
 *
 *   404  no such path; a method other than POST
 *   401  no verified certificate, or one with another name
 *   503  an upload or a clone is in progress
 *   409  the disk is complete
 *
 * /healthz answers 200 to every client, and so does HEAD of an asynchronous
 * path: clients use it to detect that path.
 */
#ifndef CW_CDI_UPLOAD_ROUTER_H
#define CW_CDI_UPLOAD_ROUTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/server.h"

enum upload_router_state {
    UPLOAD_ROUTER_OPEN,
    UPLOAD_ROUTER_BUSY, /* a client has claimed it */
    UPLOAD_ROUTER_DONE, /* the disk is complete */
};

struct upload_router {
    uint64_t idle_ns; /* as of struct request */
    uint64_t deadline_unix_ns;
    _Atomic unsigned state; /* enum upload_router_state; any thread */
};

/* Flags of an upload's route: how its body is sent. */
enum upload_route {
    UPLOAD_ROUTE_ASYNC = 1,
    UPLOAD_ROUTE_FORM = 2,
    UPLOAD_ROUTE_ARCHIVE = 4,
};

/* Returns the service for clients of router.  It keeps the requests that may
 * upload; the router is busy until upload_router_set(). */
struct http_service upload_router_service(struct upload_router *router);

/* Any thread: claims the router.  0; -1: it was not open. */
int upload_router_claim(struct upload_router *router);

/* Sets the state; only for the owner of the claim. */
void upload_router_set(struct upload_router *router,
                       enum upload_router_state state);

#endif
