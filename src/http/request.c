#include "http/request.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

struct request *request_open(struct conn *conn)
{
    struct request *request = calloc(1, sizeof(*request));
    struct conn_info info;

    if (!request) {
        conn_close(conn);
        return NULL;
    }
    request->conn = conn;
    conn_get_info(conn, &info);
    snprintf(request->peer, sizeof(request->peer), "%s", info.peer);
    request->reader = http_reader_open(false);
    if (request->reader)
        return request;
    request_close(request);
    return NULL;
}

void request_close(struct request *request)
{
    if (!request)
        return;
    conn_close(request->conn);
    http_reader_close(request->reader);
    free(request);
}

void request_interrupt(struct request *request)
{
    conn_shutdown(request->conn);
}

/* ---- receiving ---- */

/* Receives at most len bytes; the buffer must be fully consumed. */
static int receive(struct request *request, size_t len, uint64_t deadline_ns,
                   struct error *err)
{
    ssize_t n;

    conn_set_deadline(request->conn, deadline_ns);
    n = conn_recv_any(request->conn, request->in, len, err);
    if (n < 0)
        return -1;
    request->at = 0;
    request->len = (size_t)n;
    return 0;
}

/* Feeds the reader at most max of the received bytes. */
static enum http_event feed(struct request *request, size_t max,
                            struct http_piece *piece)
{
    size_t left = request->len - request->at;
    enum http_event event;
    size_t used;

    event = http_reader_feed(request->reader, request->in + request->at,
                             left < max ? left : max, &used, piece);
    request->at += used;
    return event;
}

int request_read_head(struct request *request, uint64_t deadline_ns,
                      enum http_code *code, struct error *err)
{
    struct http_piece piece;
    enum http_event event;

    *code = 0;
    do {
        if (receive(request, sizeof(request->in), deadline_ns, err) < 0)
            return -1;
        event = feed(request, sizeof(request->in), &piece);
    } while (event == HTTP_EVENT_MORE);
    if (event == HTTP_EVENT_HEAD) {
        request->head = *http_reader_head(request->reader);
        return 0;
    }
    *code = http_reader_code(request->reader);
    return error_set(err, ERROR_PROTOCOL, 0, "not a request of HTTP/1.1: %s",
                     http_reason(*code));
}

/* The deadline for the next byte. */
static uint64_t next_deadline(const struct request *request)
{
    uint64_t now_ns = clock_unix_ns(), wait_ns = request->idle_ns, left_ns;

    if (request->deadline_unix_ns == 0)
        return clock_now_ns() + wait_ns;
    left_ns = request->deadline_unix_ns > now_ns
                  ? request->deadline_unix_ns - now_ns
                  : 0;
    left_ns += REQUEST_LATE_NS;
    return clock_now_ns() + (left_ns < wait_ns ? left_ns : wait_ns);
}

/* Explains why the body ended early. */
static int explain_body(const struct request *request, struct error *err)
{
    if (conn_is_late(request->conn))
        error_set(err, ERROR_TEMPORARY, 0, "the client has stopped sending");
    return error_wrap(err, "after %" PRIu64 " bytes of the body",
                      atomic_load(&request->body_bytes));
}

static int receive_body(struct request *request, size_t len, struct error *err)
{
    if (receive(request, len, next_deadline(request), err) == 0)
        return 0;
    return explain_body(request, err);
}

/* No bytes may follow the body: such a client and we disagree about its
 * length. */
static int end_body(struct request *request, struct error *err)
{
    request->is_over = true;
    if (request->at < request->len)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%zu bytes after the end of the body",
                         request->len - request->at);
    return 0;
}

/* Returns 1 with a piece of the body; 0: none yet, or it is over; -1. */
static int on_event(struct request *request, enum http_event event,
                    const struct http_piece *piece, struct error *err)
{
    switch (event) {
    case HTTP_EVENT_BODY: request->body_bytes += piece->len; return 1;
    case HTTP_EVENT_END: return end_body(request, err);
    case HTTP_EVENT_BROKEN:
        return error_set(err, ERROR_PROTOCOL, 0,
                         "after %" PRIu64 " bytes of the body: not HTTP",
                         atomic_load(&request->body_bytes));
    case HTTP_EVENT_HEAD:
    case HTTP_EVENT_MORE: break;
    }
    return 0;
}

static ssize_t next_piece(void *opaque, const void **data, struct error *err)
{
    struct request *request = opaque;

    while (!request->is_over) {
        struct http_piece piece;
        int r = on_event(request, feed(request, sizeof(request->in), &piece),
                         &piece, err);

        *data = piece.data;
        if (r != 0)
            return r < 0 ? -1 : (ssize_t)piece.len;
        if (!request->is_over && request->at == request->len &&
            receive_body(request, sizeof(request->in), err) < 0)
            return -1;
    }
    return 0;
}

/* Receives bytes that are certainly body; the reader must count them too. */
static ssize_t receive_straight(struct request *request, char *buf, size_t len,
                                struct error *err)
{
    struct http_piece piece;
    enum http_event event;
    size_t used;
    ssize_t n;

    conn_set_deadline(request->conn, next_deadline(request));
    n = conn_recv_any(request->conn, buf, len, err);
    if (n < 0)
        return explain_body(request, err);
    event = http_reader_feed(request->reader, buf, (size_t)n, &used, &piece);
    return on_event(request, event, &piece, err) < 0 ? -1 : (ssize_t)piece.len;
}

static ssize_t read_body(void *opaque, void *buf, size_t len, struct error *err)
{
    struct request *request = opaque;

    while (!request->is_over) {
        uint64_t left = http_reader_body_left(request->reader);
        struct http_piece piece;
        int r;

        if (request->at == request->len && left > 0)
            return receive_straight(request, buf,
                                    left < len ? (size_t)left : len, err);
        r = on_event(request, feed(request, len, &piece), &piece, err);
        if (r > 0)
            memcpy(buf, piece.data, piece.len);
        if (r != 0)
            return r < 0 ? -1 : (ssize_t)piece.len;
        if (!request->is_over && request->at == request->len &&
            http_reader_body_left(request->reader) == 0 &&
            receive_body(request, REQUEST_LINE_BYTES, err) < 0)
            return -1;
    }
    return 0;
}

struct piece_source request_body(struct request *request)
{
    return (struct piece_source){ next_piece, request, read_body };
}

/* ---- answering ---- */

int request_continue(struct request *request, struct error *err)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (!request->head.expects_continue)
        return 0;
    conn_set_deadline(request->conn, clock_now_ns() + REQUEST_HEAD_NS);
    if (conn_send(request->conn, text, sizeof(text) - 1, err) < 0)
        return -1;
    return conn_flush(request->conn, err);
}

void request_answer(struct request *request, enum http_code code,
                    const char *type, const char *text)
{
    uint64_t deadline_ns = clock_now_ns() + REQUEST_ANSWER_NS;
    bool is_head = request->head.verb == HTTP_VERB_HEAD;
    char head[HTTP_HEAD_BYTES];
    struct error err;
    size_t len;

    if (request->has_answered)
        return;
    request->has_answered = true;
    len = http_write_head(head, code, type, strlen(text));
    conn_set_deadline(request->conn, deadline_ns);
    if (conn_send(request->conn, head, len, &err) < 0 ||
        conn_send(request->conn, text, is_head ? 0 : strlen(text), &err) < 0 ||
        conn_flush(request->conn, &err) < 0) {
        log_debug("answer %s: %s", request->peer, err.text);
        return;
    }
    conn_hang_up(request->conn, deadline_ns);
}
