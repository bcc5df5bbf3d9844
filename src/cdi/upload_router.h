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

enum gate_state {
    GATE_OPEN,
    GATE_BUSY, /* somebody has claimed it */
    GATE_DONE, /* the disk is complete */
};

struct gate {
    const char *client_name; /* borrowed; NULL: any that the CA signed */
    uint64_t idle_ns;        /* as of struct request */
    uint64_t deadline_unix_ns;
    _Atomic unsigned state; /* enum gate_state; any thread */
};

/* How the body of an upload comes. */
struct gate_path {
    const char *path;
    bool is_async;
    bool is_form;
    bool is_archive;
};

struct gate_upload {
    struct request *request; /* owned */
    const struct gate_path *path;
};

/*
 * Any thread: serves the client on conn (moved), until stop_fd is readable.  True: it may upload, and
 * upload->request is the caller's; the gate is busy until gate_set().  False:
 * it has been answered.
 */
bool gate_receive(struct gate *gate, struct conn *conn, int stop_fd,
                  struct gate_upload *upload);

/* Any thread: 0; -1: it was not open, and is no business of yours. */
int gate_claim(struct gate *gate);

/* By who has claimed it. */
void gate_set(struct gate *gate, enum gate_state state);

#endif
