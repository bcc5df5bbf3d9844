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

#include "http/request.h"

enum upload_router_state {
    UPLOAD_ROUTER_OPEN,
    UPLOAD_ROUTER_BUSY, /* a client has claimed it */
    UPLOAD_ROUTER_DONE, /* the disk is complete */
};

struct upload_router {
    uint64_t idle_ns;        /* as of struct request */
    uint64_t deadline_unix_ns;
    _Atomic unsigned state; /* enum upload_router_state; any thread */
};

/* How the body of an upload is sent. */
struct upload_router_path {
    const char *path;
    bool is_async;
    bool is_form;
    bool is_archive;
};

/*
 * As listener_http; opaque: the struct upload_router.  Any thread: serves
 * the client on conn (moved), until stop_fd is readable.  True: it may
 * upload, and the caller owns upload->request; the router is busy until
 * upload_router_set().  False: the client was answered.
 */
bool upload_router_receive(void *opaque, struct conn *conn, int stop_fd,
                           struct request_upload *upload);

/* Any thread: claims the router.  0; -1: it was not open. */
int upload_router_claim(struct upload_router *router);

/* Sets the state; only for the owner of the claim. */
void upload_router_set(struct upload_router *router,
                       enum upload_router_state state);

#endif
