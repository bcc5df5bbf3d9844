/*
 * upload_router.h - who may upload, and when: what an HTTP request is answered before
 * anything of its body is read.
 *
 *   404  no such path; another method than POST
 *   401  no verified certificate, or one of another name
 *   503  an upload or a clone is under way
 *   409  the disk is there
 *
 * /healthz answers 200 to anybody, and HEAD of an asynchronous path, too: so
 * clients find out whether there is one.
 */
#ifndef CW_CDI_UPLOAD_ROUTER_H
#define CW_CDI_UPLOAD_ROUTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"

enum upload_router_state {
    UPLOAD_ROUTER_OPEN,
    UPLOAD_ROUTER_BUSY, /* somebody has claimed it */
    UPLOAD_ROUTER_DONE, /* the disk is complete */
};

struct upload_router {
    const char *client_name; /* borrowed; NULL: any that the CA signed */
    uint64_t idle_ns;        /* as of struct request */
    uint64_t deadline_unix_ns;
    _Atomic unsigned state; /* enum upload_router_state; any thread */
};

/* How the body of an upload comes. */
struct upload_router_path {
    const char *path;
    bool is_async;
    bool is_form;
    bool is_archive;
};

/*
 * As listener_http; opaque: the struct upload_router.  Any thread: serves
 * the client on conn (moved), until stop_fd is readable.  True: it may
 * upload, and upload->request is the caller's; the router is busy until
 * upload_router_set().  False: it has been answered.
 */
bool upload_router_receive(void *opaque, struct conn *conn, int stop_fd,
                           struct request_upload *upload);

/* Any thread: 0; -1: it was not open, and is no business of yours. */
int upload_router_claim(struct upload_router *router);

/* By who has claimed it. */
void upload_router_set(struct upload_router *router,
                       enum upload_router_state state);

#endif
