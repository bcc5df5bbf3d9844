/*
 * http.h - the little of HTTP/1.1 that probes and scrapers speak: a request
 * without a body in, one answer out, the end.  Pure.
 */
#ifndef CW_NET_HTTP_H
#define CW_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_REQUEST_BYTES 8192U /* request line and headers, at most */
#define HTTP_PATH_BYTES    64U   /* ours are shorter; others are not found */
#define HTTP_HEAD_BYTES    256U  /* holds the head of any answer */

/* Worth a status: what it is called says what to answer. */
enum http_result {
    HTTP_OK = 200,
    HTTP_BAD = 400,       /* not HTTP/1.x as RFC 9112 wants it */
    HTTP_NOT_FOUND = 404, /* path of no length we know */
    HTTP_NOT_GET = 405,
    HTTP_LONG = 431,       /* HTTP_REQUEST_BYTES without an end */
    HTTP_UNAVAILABLE = 503 /* never a request's fault */
};

struct http_request {
    char path[HTTP_PATH_BYTES]; /* "/metrics", without "?query" */
    bool is_head;               /* HEAD: answer without the body */
};

/*
 * Looks at what has come.  False: the end is not there yet and nothing is
 * wrong so far; read on.  True: *result says what to answer, and *request is
 * filled when that is HTTP_OK.
 *
 * Strict: lines end with CRLF, no control bytes, no folded headers, names of
 * headers are tokens.  What the headers say does not matter to us.
 */
bool http_parse(const char *in, size_t len, struct http_request *request,
                enum http_result *result);

/*
 * Writes status line and headers of an answer with body_len bytes of body,
 * after which the connection ends.  Returns their length.
 */
size_t http_head(char out[HTTP_HEAD_BYTES], enum http_result status,
                 const char *type, size_t body_len);

/* "Not Found". */
const char *http_reason(enum http_result status);

#endif
