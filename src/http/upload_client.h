/*
 * upload_client.h - a body of unknown length sent by HTTP/1.1, and the answer.
 *
 *   post_open -> post_put ... -> post_end -> post_await
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

#define POST_GATHER_BYTES 32768U
#define POST_REASON_BYTES 400U

/* Where to: https://host:port/path. */
struct post_url {
    struct addr addr;
    char host[272]; /* for the header: name and port */
    char path[256];
};

/* ERROR_USAGE. */
int post_parse_url(const char *text, struct post_url *url, struct error *err);

struct post {
    struct conn *conn;              /* borrowed */
    struct http_reader *reader;     /* owned */
    bool is_answered;               /* the whole answer is here */
    bool has_ended;                 /* all has been sent */
    unsigned status;                /* of the answer; 0: none yet */
    char reason[POST_REASON_BYTES]; /* its body, as far as it fits */
    size_t reason_len;
    char gather[POST_GATHER_BYTES]; /* of small pieces, to be sent */
    size_t held;
};

/* Sends the head.  post is zeroed memory; end it with post_close(). */
int post_open(struct post *post, struct conn *conn,
              const struct http_post *head, struct error *err);

/* Sends head and body, head_len + body_len > 0, as one chunk; what is small
 * is gathered.  1: not sent, as the answer is here already. */
int post_put(struct post *post, const void *head, size_t head_len,
             const void *body, size_t body_len, struct error *err);

/* Looks, without waiting, whether the answer is here.  1, 0, -1. */
int post_look(struct post *post, struct error *err);

/* Sends the last chunk. */
int post_end(struct post *post, struct error *err);

/* Waits for the answer.  After a failed send, too: it may say why. */
int post_await(struct post *post, struct error *err);

/* Tolerates one that was never opened. */
void post_close(struct post *post);

#endif
