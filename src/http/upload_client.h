/*
 * upload_client.h - sends a body of unknown length by HTTP/1.1 and receives
 * the answer.
 *
 *   upload_client_open -> upload_client_put ... -> upload_client_end -> upload_client_await
 *
 * The answer may arrive before the end: a server that refused stops reading.
 * Belongs to one thread.
 */
#ifndef CW_HTTP_UPLOAD_CLIENT_H
#define CW_HTTP_UPLOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "http/message.h"
#include "net/addr.h"
#include "net/conn.h"

#define UPLOAD_CLIENT_GATHER_BYTES 32768U
#define UPLOAD_CLIENT_REASON_BYTES 400U

/* The destination: https://host:port/path. */
struct upload_client_url {
    struct addr addr;
    char host[272]; /* for the Host header: name and port */
    char path[256];
};

/* Fails with ERROR_USAGE. */
int upload_client_parse_url(const char *text, struct upload_client_url *url,
                            struct error *err);

struct upload_client {
    struct conn *conn;                       /* borrowed */
    struct http_reader *reader;              /* owned */
    bool is_answered;                        /* the whole answer was received */
    bool has_ended;                          /* the whole body was sent */
    unsigned status;                         /* of the answer; 0: none yet */
    char reason[UPLOAD_CLIENT_REASON_BYTES]; /* the answer's body, truncated */
    size_t reason_len;
    char gather[UPLOAD_CLIENT_GATHER_BYTES]; /* small pieces to send together */
    size_t held;
};

/* Sends the head.  client is zeroed memory; free it with
 * upload_client_close(). */
int upload_client_open(struct upload_client *client, struct conn *conn,
                       const struct http_post *head, struct error *err);

/* Sends head and body, head_len + body_len > 0, as one chunk; gathers small
 * ones.  Returns 1 if not sent because the answer is already here. */
int upload_client_put(struct upload_client *client, const void *head,
                      size_t head_len, const void *body, size_t body_len,
                      struct error *err);

/* Checks, without waiting, whether the answer is here.  Returns 1, 0 or -1. */
int upload_client_look(struct upload_client *client, struct error *err);

/* Sends the last chunk. */
int upload_client_end(struct upload_client *client, struct error *err);

/* Waits for the answer, also after a failed send: the answer may give the
 * reason. */
int upload_client_await(struct upload_client *client, struct error *err);

/* Accepts a client that was never opened. */
void upload_client_close(struct upload_client *client);

#endif
