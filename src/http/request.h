/*
 * request.h - one HTTP request on a connection: its head, its body in pieces,
 * and one answer, after which the connection closes.
 *
 *   request_open -> request_read_head -> (request_body) -> request_answer
 *
 * Every wait is bounded.  Belongs to one thread at a time, except for
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
#include "io/piece_source.h"
#include "net/conn.h"

#define REQUEST_HEAD_NS    (UINT64_C(10) * 1000000000) /* to receive a head */
#define REQUEST_ANSWER_NS  (UINT64_C(3) * 1000000000) /* to deliver an answer */
#define REQUEST_LATE_NS    (UINT64_C(3) * 1000000000)
#define REQUEST_BYTES      65536U
#define REQUEST_LINE_BYTES 256U

/* The content types of answers. */
#define HTTP_TEXT    "text/plain; charset=utf-8"
#define HTTP_METRICS "text/plain; version=0.0.4" /* Prometheus */

struct http_route;

struct request {
    struct conn *conn;              /* owned */
    const struct http_route *route; /* of its path, in http/server.h */
    struct http_reader *reader;
    struct http_head head;
    char peer[128];
    bool is_over;                /* the whole body was received */
    bool has_answered;           /* not counting 100 Continue */
    _Atomic uint64_t body_bytes; /* received so far; any thread may read it */

    /* Maximum time without data; and the moment (clock_unix_ns()) from which
     * on this is at most REQUEST_LATE_NS, or 0. */
    uint64_t idle_ns;
    uint64_t deadline_unix_ns;

    size_t at, len; /* of in: received, not yet read */
    char in[REQUEST_BYTES];
};

/* Takes over conn, also on failure (returns NULL: out of memory). */
struct request *request_open(struct conn *conn);

/*
 * Waits for the head until deadline_ns.  Returns -1 if the head is invalid:
 * answer with *code; *code 0: the connection was lost or timed out.
 */
int request_read_head(struct request *request, uint64_t deadline_ns,
                      enum http_code *code, struct error *err);

/* Asks a client that waits (Expect: 100-continue) to send its body. */
int request_continue(struct request *request, struct error *err);

/*
 * The body, after request_continue(); borrows request.  Its errors:
 * ERROR_TEMPORARY (lost, or silent for too long), ERROR_PROTOCOL (not HTTP, or
 * bytes after the end).  Between two chunks of the coding read() receives
 * little ahead, so that the next chunk can also go directly to its destination.
 */
struct piece_source request_body(struct request *request);

/*
 * Answers with text of that content type as the body (without one for HEAD),
 * and waits until the client has it or REQUEST_ANSWER_NS has passed.  At most
 * once.
 */
void request_answer(struct request *request, enum http_code code,
                    const char *type, const char *text);

/* Any thread: ends all waits for the client of this request. */
void request_interrupt(struct request *request);

/* Accepts NULL. */
void request_close(struct request *request);

#endif
