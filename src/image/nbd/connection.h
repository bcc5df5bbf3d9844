/*
 * connection.h - one connection to an NBD server, which can be opened again
 * after it was lost.  Belongs to one thread at a time.
 *
 * What blocks here gives up when options.stop_fd becomes readable
 * (ERROR_CANCELLED) or the server is silent for too long (ERROR_TEMPORARY).
 */
#ifndef CW_IMAGE_NBD_CONNECTION_H
#define CW_IMAGE_NBD_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"
#include "io/file.h"

struct nbd_handle; /* of libnbd */

#define NBD_BITMAP_CHARS 512

struct nbd_connection {
    const char *uri;          /* borrowed */
    struct image_login login; /* borrowed */
    int stop_fd;              /* borrowed; 0: none */

    /* "qemu:dirty-bitmap:NAME"; "": none was asked for. */
    char bitmap[NBD_BITMAP_CHARS];

    struct nbd_handle *nbd; /* owned; NULL: lost */
    struct file socket;     /* owned; only to wait for */
    uint64_t size_bytes;    /* of the export */
    uint32_t min_bytes;     /* each request is a multiple of it */
    uint32_t max_bytes;     /* in one request */
    bool is_shared;         /* several clients may read */
    bool has_map;           /* base:allocation */
};

/* Connects, and fills all but what the caller has set: uri, login, stop_fd and
 * bitmap.  Fails with ERROR_TEMPORARY (not reachable), ERROR_TLS, ERROR_USAGE
 * (no such bitmap) or ERROR_SOURCE_IO; c is then closed. */
int nbd_connect(struct nbd_connection *c, struct error *err);

/*
 * Is the connection still good?  Asks the server.  1: it was not, and is opened
 * again; 0: it is; -1: as nbd_connect(), or ERROR_CHANGED: the export has
 * another size.
 */
int nbd_reconnect(struct nbd_connection *c, struct error *err);

struct nbd_question {
    const char *context; /* borrowed */
    uint64_t offset, length;
    /* For the adjacent extents that begin at offset, with the flags that
     * context gives them. */
    int (*each)(void *opaque, uint64_t length, uint32_t flags);
    void *opaque;
};

/* Calls each() as far as one answer of the server goes.  -1: *err, or each()
 * returned -1. */
int nbd_ask_extents(struct nbd_connection *c,
                    const struct nbd_question *question, struct error *err);

/* True if errnum, of a request, means that the connection is lost. */
bool nbd_is_loss(const struct nbd_connection *c, int errnum);

/* Drops the connection, with what is in flight.  Tolerates a closed one. */
void nbd_disconnect(struct nbd_connection *c);

#endif
