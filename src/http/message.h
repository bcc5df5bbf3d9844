/*
 * message.h - HTTP/1.1 messages: a reader for heads and bodies of requests and
 * responses, and the heads that we send.  Pure.
 *
 *   http_reader_feed -> head -> body ... body -> end
 *
 * It rejects what two readers could interpret differently (RFC 9112, 11): each
 * line ends with CR LF, names are tokens with the colon right after them, a
 * header is one line, a request of HTTP/1.1 has one Host, and the length of a
 * body is given once and in one way.  Chunk extensions and trailers are
 * ignored, and bounded.
 */
#ifndef CW_HTTP_MESSAGE_H
#define CW_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_REQUEST_BYTES 65536U /* max, first line and headers */
#define HTTP_PATH_BYTES    64U    /* ours are shorter; others give 404 */
#define HTTP_VALUE_BYTES   256U   /* of a header that we use */
#define HTTP_HEAD_BYTES    256U   /* fits the head of any answer */

/* Status codes for answers. */
enum http_code {
    HTTP_OK = 200,
    HTTP_BAD = 400, /* violates RFC 9112, or a field is too long */
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404, /* also for a path that is too long */
    HTTP_NOT_GET = 405,
    HTTP_CONFLICT = 409,
    HTTP_LONG = 431, /* more than HTTP_REQUEST_BYTES of head */
    HTTP_FAILED = 500,
    HTTP_UNKNOWN = 501, /* a transfer coding other than chunked */
    HTTP_UNAVAILABLE = 503
};

enum http_verb {
    HTTP_VERB_OTHER,
    HTTP_VERB_GET,
    HTTP_VERB_HEAD,
    HTTP_VERB_POST
};

/* The parts of a head that we use; a missing text is "". */
struct http_head {
    enum http_verb verb;        /* of a request */
    unsigned status;            /* of a response */
    char path[HTTP_PATH_BYTES]; /* "/metrics", without "?query" */
    char content_type[HTTP_VALUE_BYTES];
    char cdi_content_type[HTTP_VALUE_BYTES]; /* x-cdi-content-type */
    char disk_bytes[HTTP_VALUE_BYTES];       /* x-clonewire-disk-bytes */
    bool expects_continue;                   /* waits for 100 Continue */
    bool is_chunked;
    bool has_length;
    uint64_t length_bytes; /* of the body, if has_length */
};

enum http_event {
    HTTP_EVENT_MORE,   /* all input used, the message continues */
    HTTP_EVENT_HEAD,   /* http_reader_head() is available */
    HTTP_EVENT_BODY,   /* the piece is part of the body */
    HTTP_EVENT_END,    /* end of message; unused input belongs to the next */
    HTTP_EVENT_BROKEN, /* permanent; see http_reader_code() */
};

/* Borrowed from the input. */
struct http_piece {
    const char *data;
    size_t len;
};

struct http_reader;

/* Returns NULL if out of memory; else the caller owns the reader. */
struct http_reader *http_reader_open(bool is_response);

/*
 * Reads in up to the next event; *used: the number of bytes consumed; the
 * caller feeds the rest again.  Each event but HTTP_EVENT_MORE may have another
 * one after it, for which there need not be a byte left: len may be 0.
 */
enum http_event http_reader_feed(struct http_reader *reader, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body);

const struct http_head *http_reader_head(const struct http_reader *reader);

/* The number of bytes that follow as uninterrupted body; 0: a line of the
 * chunked coding or the end may follow, or the body has not begun. */
uint64_t http_reader_body_left(const struct http_reader *reader);

/* After HTTP_EVENT_BROKEN: the status to answer with. */
enum http_code http_reader_code(const struct http_reader *reader);

/* Accepts NULL. */
void http_reader_close(struct http_reader *reader);

/*
 * Writes status line and headers of an answer with body_len bytes of body,
 * after which the connection closes.  Returns their length.
 */
size_t http_write_head(char out[HTTP_HEAD_BYTES], enum http_code status,
                       const char *type, size_t body_len);

/* The head of a POST.  Texts have no control bytes. */
struct http_post {
    const char *host; /* with the port, as in the URL */
    const char *path;
    const char *agent;            /* "clonewire/0.1.0" */
    const char *cdi_content_type; /* x-cdi-content-type */
    uint64_t disk_bytes;          /* x-clonewire-disk-bytes; 0: omitted */
};

/* Writes the head of a POST with a chunked body.  Returns its length; 0 if it
 * does not fit. */
size_t http_write_post(char *out, size_t len, const struct http_post *post);

/* The reason phrase: "Not Found". */
const char *http_reason(enum http_code status);

#endif
