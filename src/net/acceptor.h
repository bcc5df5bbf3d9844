/*
 * acceptor.h - a listening port with a thread for each client.
 *
 * One thread accepts; each client that has spoken (net/waiting_room.h) has a
 * thread of its own, so that a slow or hostile client delays no other.
 */
#ifndef CW_NET_ACCEPTOR_H
#define CW_NET_ACCEPTOR_H

#include <stdbool.h>

#include "base/error.h"
#include "net/addr.h"

#define ACCEPTOR_LISTENERS 8U

struct acceptor_options {
    const char *device;   /* as in conn_listen() */
    unsigned max_clients; /* served at once; another stops the oldest of the
                             address that has most of them */
    unsigned pace_ms;     /* serves at most one more in this time; 0: any */

    /* On the client's thread: serves the client on fd (moved), until stop_fd
     * is readable. */
    void (*serve)(void *opaque, int fd, int stop_fd);

    /* On the accepting thread: descriptors or memory ran out (errnum), so
     * clients wait.  Not repeated before the next success.  May be NULL. */
    void (*exhausted)(void *opaque, int errnum);

    void *opaque; /* borrowed */
};

struct acceptor;

/*
 * Listens on addr and starts to accept.  On failure too, *acceptor is owned by
 * the caller.  The errors of conn_listen(), ERROR_SYSTEM.
 */
int acceptor_open(const struct addr *addr,
                  const struct acceptor_options *options,
                  struct acceptor **acceptor, struct error *err);

/* The sockets that it listens on, one for each address, for getsockname().
 * Returns their number. */
unsigned acceptor_sockets(const struct acceptor *acceptor, const int **fds);

/*
 * Reserves room for the address of fd's peer (-1: for none): half of the threads
 * and WAITING_ROOM_RESERVED connections of it give way to no other address.  Any
 * thread.
 */
void acceptor_favour(struct acceptor *acceptor, int fd);

/* Stops the clients and waits for their threads.  Accepts NULL. */
void acceptor_close(struct acceptor *acceptor);

#endif
