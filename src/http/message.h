/*
 * message.h - messages of HTTP/1.1: a reader for heads and bodies, requests and
 * responses, and the heads that we send.  Pure; libhttp-parser behind it.
 *
 *   http_reader_feed -> head -> body ... body -> end
 *
 * Stricter than the parser: lines end with CRLF, no control bytes, no folded
 * headers, one way of saying how long a body is.  What two readers could
 * understand differently is refused.
 */
#ifndef CW_HTTP_MESSAGE_H
#define CW_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_REQUEST_BYTES 8192U /* first line and headers, at most */
#define HTTP_PATH_BYTES    64U   /* ours are shorter; others are not found */
#define HTTP_VALUE_BYTES   256U  /* of a header that matters to us */
#define HTTP_HEAD_BYTES    256U  /* holds the head of any answer */

/* What to answer. */
enum http_code {
    HTTP_OK = 200,
    HTTP_BAD = 400, /* not HTTP/1.x as RFC 9112 wants it, or no room */
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404, /* path of no length we know, too */
    HTTP_NOT_GET = 405,
    HTTP_CONFLICT = 409,
    HTTP_LONG = 431, /* HTTP_REQUEST_BYTES without an end */
    HTTP_FAILED = 500,
    HTTP_UNKNOWN = 501, /* a transfer coding that is not chunked */
    HTTP_UNAVAILABLE = 503
};

enum http_verb {
    HTTP_VERB_OTHER,
    HTTP_VERB_GET,
    HTTP_VERB_HEAD,
    HTTP_VERB_POST
};

/* What of a head matters to us; a text is "" when it did not come. */
struct http_head {
    enum http_verb verb;        /* of a request */
    unsigned status;            /* of a response */
    char path[HTTP_PATH_BYTES]; /* "/metrics", without "?query" */
    char content_type[HTTP_VALUE_BYTES];
    char cdi_content_type[HTTP_VALUE_BYTES]; /* x-cdi-content-type */
    char disk_bytes[HTTP_VALUE_BYTES];       /* x-clonewire-disk-bytes */
    bool expects_continue;                   /* waits for a 100 */
    bool is_chunked;
    bool has_length;
    uint64_t length_bytes; /* of the body, where has_length */
};

enum http_event {
    HTTP_EVENT_MORE,   /* all was used, and the message goes on */
    HTTP_EVENT_HEAD,   /* http_reader_head() can be asked */
    HTTP_EVENT_BODY,   /* the piece is some of the body */
    HTTP_EVENT_END,    /* of the message; what is not used is another's */
    HTTP_EVENT_BROKEN, /* for ever; http_reader_code() is the answer */
};

/* Borrowed from what was fed. */
struct http_piece {
    const char *data;
    size_t len;
};

struct http_reader;

/* NULL when there is no memory; else owned by the caller. */
struct http_reader *http_reader_open(bool is_response);

/*
 * Reads in, until something is worth telling; *used says how far: feed the
 * rest again.  (Of a message that has ended in full, a byte is always left
 * until HTTP_EVENT_END.)
 */
enum http_event http_reader_feed(struct http_reader *reader, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body);

const struct http_head *http_reader_head(const struct http_reader *reader);

/* So many bytes that are fed next are body, and nothing stands between them;
 * 0: a line of the chunked coding, or the end, may come, or the body has not
 * begun. */
uint64_t http_reader_body_left(const struct http_reader *reader);

/* After HTTP_EVENT_BROKEN: what to answer. */
enum http_code http_reader_code(const struct http_reader *reader);

/* Response to an unfinished message whose sender has ended: is that its end
 * (a body without a length), or was it cut? */
bool http_reader_may_end(const struct http_reader *reader);

/* Tolerates NULL. */
void http_reader_close(struct http_reader *reader);

/*
 * Looks at the whole of what has come of a request without a body.  False:
 * the end is not there yet and nothing is wrong so far; read on.  True:
 * *status says what to answer, and *head is filled when that is HTTP_OK.
 * Other methods than GET and HEAD are HTTP_NOT_GET.
 */
bool http_parse(const char *in, size_t len, struct http_head *head,
                enum http_code *status);

/*
 * Writes status line and headers of an answer with body_len bytes of body,
 * after which the connection ends.  Returns their length.
 */
size_t http_write_head(char out[HTTP_HEAD_BYTES], enum http_code status,
                       const char *type, size_t body_len);

/* What a POST says of itself.  Texts are without control bytes. */
struct http_post {
    const char *host; /* and port, as in the URL */
    const char *path;
    const char *agent;            /* "clonewire/0.1.0" */
    const char *cdi_content_type; /* x-cdi-content-type */
    uint64_t disk_bytes;          /* x-clonewire-disk-bytes; 0: not told */
};

/* Writes its head; the body comes in chunks.  Returns its length; 0: it does
 * not fit. */
size_t http_write_post(char *out, size_t len, const struct http_post *post);

/* "Not Found". */
const char *http_reason(enum http_code status);

#endif
