/*
 * request.h - one HTTP request over a connection: its head, its body piece by
 * piece, and the one answer after which the connection ends.
 *
 *   request_open -> request_read_head -> (request_piece ...) -> request_answer
 *
 * Every wait is bounded.  Belongs to one thread at a time, but for
 * request_interrupt().
 */
#ifndef CW_HTTP_REQUEST_H
#define CW_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/message.h"
#include "net/conn.h"

#define REQUEST_HEAD_NS    (UINT64_C(10) * 1000000000) /* to send a head in */
#define REQUEST_GOODBYE_NS (UINT64_C(3) * 1000000000) /* to take an answer in */
#define REQUEST_LATE_NS    (UINT64_C(3) * 1000000000)
#define REQUEST_BYTES      65536U
#define REQUEST_LINE_BYTES 256U

struct request {
    struct conn *conn; /* owned */
    struct http_reader *reader;
    struct http_head head;
    char peer[128];
    bool is_over;                /* the whole of the body has come */
    bool has_answered;           /* 100 Continue not included */
    _Atomic uint64_t body_bytes; /* so far; any thread may look */

    /* How long nothing may come; and a moment (clock_unix_ns()) from which on
     * it is no longer than REQUEST_LATE_NS, or 0. */
    uint64_t idle_ns;
    uint64_t deadline_unix_ns;

    size_t at, len; /* of in: received and not yet read */
    char in[REQUEST_BYTES];
};

struct upload_router_path;

/* A client that may upload: its body is still to be read. */
struct request_upload {
    struct request *request; /* owned; NULL: no upload */
    const struct upload_router_path *path;
};

/* conn is moved, also on failure (NULL: no memory). */
struct request *request_open(struct conn *conn);

/*
 * Waits for the head.  -1: there is none that can be answered otherwise than
 * by *code; 0 there: the connection was lost, or nothing came in time.
 */
int request_read_head(struct request *request, enum http_code *code,
                      struct error *err);

/* Tells a client that asks first (Expect: 100-continue) to send its body. */
int request_invite(struct request *request, struct error *err);

/*
 * The next piece of the body at *data, good until the next call: its length,
 * 0 at the end.  -1: ERROR_TEMPORARY (lost, or silent for too long),
 * ERROR_PROTOCOL (no HTTP, or bytes behind the end).
 */
ssize_t request_piece(struct request *request, const void **data,
                      struct error *err);

/*
 * The same, but straight into buf: how many bytes, len at most.  Between two
 * chunks of the coding little is received ahead, so that what follows can go
 * where it belongs, too.
 */
ssize_t request_read(struct request *request, void *buf, size_t len,
                     struct error *err);

/*
 * Answers with text as the body (without one for HEAD), and waits until the
 * client has it or REQUEST_GOODBYE_NS have passed.  At most once.
 */
void request_answer(struct request *request, enum http_code code,
                    const char *text);

/* Any thread: whoever waits for this request's client gives up. */
void request_interrupt(struct request *request);

/* Tolerates NULL. */
void request_close(struct request *request);

#endif
