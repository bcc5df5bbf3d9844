/*
 * listener.h - the target's listening port: clients become visitors.
 *
 * A net/acceptor.h with at most LISTENER_VISITORS clients at once, each with
 * LISTENER_TIMEOUT_MS for the handshake and as long for the first message.
 */
#ifndef CW_CONTROL_LISTENER_H
#define CW_CONTROL_LISTENER_H

#include "base/error.h"
#include "control/channel.h"
#include "http/server.h"
#include "job/job.h"
#include "net/addr.h"

#define LISTENER_VISITORS   64U
#define LISTENER_TIMEOUT_MS 10000U

/* A client: conn with its first message, an upload, or err. */
struct visitor {
    struct conn *conn;      /* owned by the visitor until taken out */
    struct request *upload; /* owned; NULL: not an upload */
    struct message first;   /* HELLO or JOIN */
    struct error err;       /* conn is NULL: why it was refused */
    char peer[128];         /* "10.0.0.7:41234", "" before the handshake */
    char name[256];         /* certificate name or PSK identity */
    struct visitor *next;
};

struct listener;

/*
 * Listens on addr and starts accepting; job is woken when a visitor is
 * ready.  The listening callback gets each bound address.  http: borrowed, for
 * clients that speak HTTP; NULL where the job's TLS does not offer it.
 */
int listener_open(const struct addr *addr, struct cw_job *job,
                  const struct http_service *http, struct listener **listener,
                  struct error *err);

/* The next visitor, owned by the caller (visitor_close()), or NULL. */
struct visitor *listener_take(struct listener *listener);

/* Reserves room for the address of conn's peer, so that strangers cannot keep
 * its lanes and its reconnects out. */
void listener_favour(struct listener *listener, const struct conn *conn);

/* Logs a warning with err and, once, the visitor's address. */
void visitor_log_refusal(const struct visitor *visitor,
                         const struct error *err);

/* Closes the visitor's connection, if any, and frees it.  Tolerates NULL. */
void visitor_close(struct visitor *visitor);

/* Drops all visitors and stops listening.  Tolerates NULL. */
void listener_close(struct listener *listener);

#endif
