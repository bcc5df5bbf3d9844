#include "http/message.h"

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a chunk's header line and for trailers; the message head has its own
 * limit. */
#define LINES_BYTES 8192U

/* Position of the scan in the head. */
enum line {
    LINE_FIRST, /* nothing received yet */
    LINE_BEGIN, /* of a header */
    LINE_NAME,  /* before its colon */
    LINE_IN,    /* after it; or the first line */
    LINE_CR,
    LINE_LAST_CR, /* of the empty line */
};

struct http_reader {
    http_parser parser;
    struct http_head head;
    enum http_code code;   /* HTTP_OK: not broken */
    enum http_event event; /* the event of a callback, or HTTP_EVENT_MORE */
    struct http_piece body;
    uint64_t left; /* of the body, or of its current chunk */
    enum line line;
    unsigned char before; /* the last byte scanned or parsed */
    bool ends_line;       /* the parser has stopped after CR LF */
    bool is_first_line;
    size_t head_len;
    bool has_head;
    bool is_over;

    /* The current header. */
    char name[32];
    size_t name_len;
    bool is_in_value;
    char *value; /* destination of the value; NULL: ignored */
    size_t value_len;
    char coding[HTTP_VALUE_BYTES]; /* Transfer-Encoding */
    char expect[HTTP_VALUE_BYTES];
    unsigned codings;
    size_t path_len;
    bool has_target;  /* at least one byte of it */
    unsigned slashes; /* before the path, of "https://host/path" */
};

const char *http_reason(enum http_code status)
{
    switch (status) {
    case HTTP_OK: return "OK";
    case HTTP_BAD: return "Bad Request";
    case HTTP_UNAUTHORIZED: return "Unauthorized";
    case HTTP_NOT_FOUND: return "Not Found";
    case HTTP_NOT_GET: return "Method Not Allowed";
    case HTTP_CONFLICT: return "Conflict";
    case HTTP_LONG: return "Request Header Fields Too Large";
    case HTTP_FAILED: return "Internal Server Error";
    case HTTP_UNKNOWN: return "Not Implemented";
    case HTTP_UNAVAILABLE: return "Service Unavailable";
    }
    return "";
}

/* ---- what the parser calls ---- */

static bool is_word(const char *text, const char *word)
{
    for (; *text != '\0' && *word != '\0'; text++, word++)
        if ((*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text) !=
            *word)
            return false;
    return *text == *word;
}

/* Returns the destination for the value of the header just named. */
static char *place_of(struct http_reader *r)
{
    const struct {
        const char *name;
        char *value;
    } places[] = {
        { "content-type", r->head.content_type },
        { "x-cdi-content-type", r->head.cdi_content_type },
        { "x-clonewire-disk-bytes", r->head.disk_bytes },
        { "transfer-encoding", r->coding },
        { "expect", r->expect },
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (is_word(r->name, places[i].name))
            return places[i].value;
    return NULL;
}

static int refuse(struct http_reader *r, enum http_code status)
{
    r->code = status;
    return -1;
}

/*
 * Adds one byte of the request target.  Like every server (RFC 9112, 3.2.2) we
 * also accept a full URL, whose path follows the authority.
 */
static void put_in_path(struct http_reader *r, char c)
{
    bool is_first = !r->has_target;

    r->has_target = true;
    if (r->path_len == 0 && c == '/' && !is_first)
        r->slashes++;
    if (r->path_len == 0 && (c != '/' || (!is_first && r->slashes < 3)))
        return;
    if (r->path_len < sizeof(r->head.path))
        r->head.path[r->path_len++] = c;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    struct http_reader *r = p->data;

    for (size_t i = 0; i < len; i++) {
        if (at[i] < '!' || at[i] > '~')
            return refuse(r, HTTP_BAD);
        put_in_path(r, at[i]);
    }
    return 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
    struct http_reader *r = p->data;

    if (r->has_head)
        return 0; /* trailers are ignored */
    if (r->is_in_value)
        r->name_len = 0;
    r->is_in_value = false;
    for (size_t i = 0; i < len && r->name_len < sizeof(r->name) - 1; i++)
        r->name[r->name_len++] = at[i];
    r->name[r->name_len] = '\0';
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    struct http_reader *r = p->data;

    if (r->has_head)
        return 0;
    if (!r->is_in_value) {
        r->is_in_value = true;
        r->value = place_of(r);
        r->value_len = 0;
        /* The first header of a name counts; a second coding is an attack. */
        if (r->value == r->coding)
            r->codings++;
        else if (r->value && r->value[0] != '\0')
            r->value = NULL;
    }
    if (!r->value)
        return 0;
    if (len >= HTTP_VALUE_BYTES - r->value_len)
        return refuse(r, HTTP_LONG);
    memcpy(r->value + r->value_len, at, len);
    r->value_len += len;
    r->value[r->value_len] = '\0';
    return 0;
}

static enum http_verb verb_of(const http_parser *p)
{
    switch (p->method) {
    case HTTP_GET: return HTTP_VERB_GET;
    case HTTP_HEAD: return HTTP_VERB_HEAD;
    case HTTP_POST: return HTTP_VERB_POST;
    default: return HTTP_VERB_OTHER;
    }
}

/* Accepts one body length, given in one way. */
static int take_length(struct http_reader *r, const http_parser *p)
{
    r->head.is_chunked = r->codings > 0;
    if (r->codings > 1)
        return refuse(r, HTTP_BAD);
    if (r->codings == 1 && !is_word(r->coding, "chunked"))
        return refuse(r, HTTP_UNKNOWN);
    if (r->codings == 1 && (p->http_minor == 0 || (p->flags & F_CONTENTLENGTH)))
        return refuse(r, HTTP_BAD);
    r->head.has_length = (p->flags & F_CONTENTLENGTH) != 0;
    if (r->head.has_length)
        r->head.length_bytes = p->content_length;
    return 0;
}

static int take_path(struct http_reader *r)
{
    char *query;

    if (r->path_len == 0 && r->slashes == 2)
        r->head.path[r->path_len++] = '/'; /* "https://host" */
    if (r->path_len == 0)
        return r->head.verb == HTTP_VERB_OTHER ? 0 : refuse(r, HTTP_BAD);
    if (r->path_len == sizeof(r->head.path))
        r->path_len = 0; /* too long to be known: "" */
    r->head.path[r->path_len] = '\0';
    query = strchr(r->head.path, '?');
    if (query)
        *query = '\0';
    return 0;
}

static int on_headers(http_parser *p)
{
    struct http_reader *r = p->data;

    r->has_head = true;
    r->event = HTTP_EVENT_HEAD;
    p->upgrade = 0; /* we support no other protocol */
    if (p->http_major != 1 || p->http_minor > 1)
        return refuse(r, HTTP_BAD);
    if (take_length(r, p) < 0)
        return -1;
    r->head.status = p->status_code;
    r->head.expects_continue = is_word(r->expect, "100-continue");
    if (p->type == HTTP_REQUEST) {
        r->head.verb = verb_of(p);
        if (take_path(r) < 0)
            return -1;
    }
    http_parser_pause(p, 1);
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    struct http_reader *r = p->data;

    r->body = (struct http_piece){ at, len };
    if (r->head.is_chunked || r->head.has_length)
        r->left = p->content_length; /* after this piece */
    r->event = HTTP_EVENT_BODY;
    http_parser_pause(p, 1);
    return 0;
}

/*
 * Called after a line of the chunked coding: see check_line().  The parser, as
 * Debian builds it, accepts any byte for CR and LF there.
 */
static int on_chunk_line(http_parser *p)
{
    struct http_reader *r = p->data;

    if (r->head.is_chunked && !(p->flags & F_TRAILING))
        r->ends_line = true;
    if (r->ends_line)
        http_parser_pause(p, 1);
    return 0;
}

static int on_chunk_head(http_parser *p)
{
    struct http_reader *r = p->data;

    r->left = p->content_length;
    return on_chunk_line(p);
}

static int on_complete(http_parser *p)
{
    struct http_reader *r = p->data;

    r->is_over = true;
    r->ends_line = r->head.is_chunked;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
    .on_chunk_header = on_chunk_head,
    .on_chunk_complete = on_chunk_line,
};

/* ---- reading ---- */

struct http_reader *http_reader_open(bool is_response)
{
    struct http_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    http_parser_set_max_header_size(LINES_BYTES + HTTP_REQUEST_BYTES);
    http_parser_init(&r->parser, is_response ? HTTP_RESPONSE : HTTP_REQUEST);
    r->parser.data = r;
    r->code = HTTP_OK;
    r->is_first_line = !is_response; /* a reason may be missing */
    return r;
}

void http_reader_close(struct http_reader *reader)
{
    free(reader);
}

/* Scans one byte of the head.  Returns false if no valid head has it here. */
static bool scan_byte(struct http_reader *r, unsigned char c)
{
    switch (r->line) {
    case LINE_FIRST:
    case LINE_BEGIN:
        if (c == ' ' || c == '\t' || (c == '\r' && r->line == LINE_FIRST))
            return false; /* folded */
        r->line = c == '\r'               ? LINE_LAST_CR
                  : r->line == LINE_FIRST ? LINE_IN
                                          : LINE_NAME;
        break;
    case LINE_NAME:
        if (c == ':')
            r->line = LINE_IN;
        if (c <= ' ') /* readers disagree about "Name : value" */
            return false;
        break;
    case LINE_IN:
        if (c == '\r')
            r->line = LINE_CR;
        /* One space between words, none after the last. */
        if (r->is_first_line && r->before == ' ' && (c == ' ' || c == '\r'))
            return false;
        break;
    case LINE_CR:
    case LINE_LAST_CR: return c == '\n';
    }
    return c == '\r' || c == '\t' || (c >= ' ' && c != 0x7f);
}

/* Returns how much of in is valid head, up to its end.  Sets the status. */
static size_t scan_head(struct http_reader *r, const char *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!scan_byte(r, (unsigned char)in[i])) {
            r->code = HTTP_BAD;
            return i;
        }
        r->before = (unsigned char)in[i];
        if (++r->head_len > HTTP_REQUEST_BYTES) {
            r->code = HTTP_LONG;
            return i;
        }
        if (in[i] != '\n')
            continue;
        r->is_first_line = false;
        if (r->line == LINE_LAST_CR)
            return i + 1;
        r->line = LINE_BEGIN;
    }
    if (r->head_len == HTTP_REQUEST_BYTES)
        r->code = HTTP_LONG;
    return len;
}

/* Translates the parser's state once it has stopped. */
static enum http_event parser_event(struct http_reader *r)
{
    enum http_errno why = HTTP_PARSER_ERRNO(&r->parser);

    if (why == HPE_PAUSED)
        http_parser_pause(&r->parser, 0);
    else if (why != HPE_OK && r->code == HTTP_OK)
        r->code = HTTP_BAD;
    if (r->code != HTTP_OK)
        return HTTP_EVENT_BROKEN;
    if (r->event != HTTP_EVENT_MORE)
        return r->event;
    return r->is_over ? HTTP_EVENT_END : HTTP_EVENT_MORE;
}

static enum http_event feed_head(struct http_reader *r, const char *in,
                                 size_t len, size_t *used)
{
    size_t clean = scan_head(r, in, len);

    if (r->code == HTTP_BAD)
        return HTTP_EVENT_BROKEN;
    *used = http_parser_execute(&r->parser, &settings, in, clean);
    return parser_event(r);
}

/* Checks the line end in the parsed part of in; before is the preceding
 * byte. */
static void check_line(struct http_reader *r, const char *in, size_t used)
{
    unsigned char last = (unsigned char)in[used - 1];
    unsigned char first = used > 1 ? (unsigned char)in[used - 2] : r->before;

    r->before = last;
    if (r->ends_line && (first != '\r' || last != '\n'))
        r->code = HTTP_BAD;
    r->ends_line = false;
}

static enum http_event feed_body(struct http_reader *r, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body)
{
    enum http_event event = HTTP_EVENT_MORE;

    /* The parser treats an empty input as the end of the connection. */
    while (event == HTTP_EVENT_MORE && *used < len) {
        size_t n = http_parser_execute(&r->parser, &settings, in + *used,
                                       len - *used);

        if (n > 0)
            check_line(r, in + *used, n);
        *used += n;
        event = parser_event(r);
    }
    if (event == HTTP_EVENT_BODY)
        *body = r->body;
    return event;
}

enum http_event http_reader_feed(struct http_reader *r, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body)
{
    *used = 0;
    *body = (struct http_piece){ NULL, 0 };
    if (r->code != HTTP_OK)
        return HTTP_EVENT_BROKEN;
    if (r->is_over)
        return HTTP_EVENT_END;
    r->event = HTTP_EVENT_MORE;
    if (!r->has_head)
        return len == 0 ? HTTP_EVENT_MORE : feed_head(r, in, len, used);
    return feed_body(r, in, len, used, body);
}

const struct http_head *http_reader_head(const struct http_reader *reader)
{
    return &reader->head;
}

uint64_t http_reader_body_left(const struct http_reader *reader)
{
    return reader->left;
}

enum http_code http_reader_code(const struct http_reader *reader)
{
    return reader->code;
}

bool http_reader_may_end(const struct http_reader *reader)
{
    return reader->is_over ||
           (reader->has_head && !reader->head.is_chunked &&
            !reader->head.has_length && reader->parser.type == HTTP_RESPONSE);
}

size_t http_write_head(char out[HTTP_HEAD_BYTES], enum http_code status,
                       const char *type, size_t body_len)
{
    int len = snprintf(out, HTTP_HEAD_BYTES,
                       "HTTP/1.1 %d %s\r\n"
                       "Content-Type: %s\r\n"
                       "Content-Length: %zu\r\n"
                       "Cache-Control: no-store\r\n"
                       "Connection: close\r\n\r\n",
                       (int)status, http_reason(status), type, body_len);

    return len < (int)HTTP_HEAD_BYTES ? (size_t)len : HTTP_HEAD_BYTES - 1;
}

size_t http_write_post(char *out, size_t len, const struct http_post *post)
{
    char disk_bytes[64] = "";
    int n;

    if (post->disk_bytes > 0)
        snprintf(disk_bytes, sizeof(disk_bytes),
                 "x-clonewire-disk-bytes: %llu\r\n",
                 (unsigned long long)post->disk_bytes);
    n = snprintf(out, len,
                 "POST %s HTTP/1.1\r\n"
                 "Host: %s\r\n"
                 "User-Agent: %s\r\n"
                 "Transfer-Encoding: chunked\r\n"
                 "x-cdi-content-type: %s\r\n"
                 "%s\r\n",
                 post->path, post->host, post->agent, post->cdi_content_type,
                 disk_bytes);
    return n > 0 && (size_t)n < len ? (size_t)n : 0;
}
