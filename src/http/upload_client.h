/*
 * upload_client.h - a body of unknown length sent by HTTP/1.1, and the answer.
 *
 *   upload_client_open -> upload_client_put ... -> upload_client_end -> upload_client_await
 *
 * The answer may come before the end: a server that has refused does not
 * read on.  Belongs to one thread.
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

/* Where to: https://host:port/path. */
struct upload_client_url {
    struct addr addr;
    char host[272]; /* for the header: name and port */
    char path[256];
};

/* ERROR_USAGE. */
int upload_client_parse_url(const char *text, struct upload_client_url *url,
                            struct error *err);

struct upload_client {
    struct conn *conn;                       /* borrowed */
    struct http_reader *reader;              /* owned */
    bool is_answered;                        /* the whole answer is here */
    bool has_ended;                          /* all has been sent */
    unsigned status;                         /* of the answer; 0: none yet */
    char reason[UPLOAD_CLIENT_REASON_BYTES]; /* its body, as far as it fits */
    size_t reason_len;
    char gather[UPLOAD_CLIENT_GATHER_BYTES]; /* of small pieces, to be sent */
    size_t held;
};

/* Sends the head.  post is zeroed memory; end it with upload_client_close(). */
int upload_client_open(struct upload_client *client, struct conn *conn,
                       const struct http_post *head, struct error *err);

/* Sends head and body, head_len + body_len > 0, as one chunk; what is small
 * is gathered.  1: not sent, as the answer is here already. */
int upload_client_put(struct upload_client *client, const void *head,
                      size_t head_len, const void *body, size_t body_len,
                      struct error *err);

/* Looks, without waiting, whether the answer is here.  1, 0, -1. */
int upload_client_look(struct upload_client *client, struct error *err);

/* Sends the last chunk. */
int upload_client_end(struct upload_client *client, struct error *err);

/* Waits for the answer.  After a failed send, too: it may say why. */
int upload_client_await(struct upload_client *client, struct error *err);

/* Tolerates one that was never opened. */
void upload_client_close(struct upload_client *client);

#endif
