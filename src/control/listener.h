/*
 * listener.h - the target's listening port: accepts visitors one by one.
 *
 * One thread accepts; each visitor shakes hands on a thread of its own, so
 * that a slow or hostile client delays no other.  At most LISTENER_VISITORS at
 * once, each with LISTENER_PATIENCE_MS for handshake and first message; the rest
 * wait in the kernel's backlog.
 */
#ifndef CW_CONTROL_LISTENER_H
#define CW_CONTROL_LISTENER_H

#include "base/error.h"
#include "control/channel.h"
#include "http/request.h"
#include "job/job.h"
#include "net/addr.h"

#define LISTENER_VISITORS    16U
#define LISTENER_PATIENCE_MS 10000U
#define LISTENER_LISTENERS   8U

/* A client: conn with its first message, an upload, or err. */
struct visitor {
    struct conn *conn;            /* owned by the visitor until taken out */
    struct request_upload upload; /* request is NULL if this is not an upload */
    struct message first;         /* HELLO or JOIN */
    struct error err;             /* conn is NULL: why it was refused */
    char peer[128]; /* "10.0.0.7:41234", "" before the handshake */
    char name[256]; /* certificate name or PSK identity */
    struct visitor *next;
};

struct listener;

/* The handler of HTTP clients. */
struct listener_http {
    void *opaque;
    /* Any thread: serves the client on conn (moved) until stop_fd is readable.
     * True: upload is the visitor's; false: it has been answered. */
    bool (*receive)(void *opaque, struct conn *conn, int stop_fd,
                    struct request_upload *upload);
};

/*
 * Listens on addr and starts accepting; job is woken when a visitor is
 * ready.  The listening callback gets each bound address.  http: copied; NULL
 * where the job's TLS takes no HTTP.
 */
int listener_open(const struct addr *addr, struct cw_job *job,
                  const struct listener_http *http, struct listener **listener,
                  struct error *err);

/* The next visitor, owned by the caller (visitor_close()), or NULL. */
struct visitor *listener_take(struct listener *listener);

/* Logs a warning with err and, once, the visitor's address. */
void visitor_log_refusal(const struct visitor *visitor,
                         const struct error *err);

/* Closes the visitor's connection, if any, and frees it.  Tolerates NULL. */
void visitor_close(struct visitor *visitor);

/* Drops all visitors and stops listening.  Tolerates NULL. */
void listener_close(struct listener *listener);

#endif
