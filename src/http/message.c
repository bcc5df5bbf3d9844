#include "http/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 256U /* max, of a line before a chunk, with extensions */
#define NAME_BYTES 32U  /* longer than any name that we use */

/* What the next byte belongs to. */
enum reader_state {
    STATE_METHOD,
    STATE_TARGET,
    STATE_VERSION,
    STATE_STATUS,
    STATE_REASON,
    STATE_LINE, /* the first byte of a header, or CR of the empty line */
    STATE_NAME,
    STATE_VALUE,
    STATE_LINE_LF,
    STATE_LAST_LF, /* of the empty line */
    STATE_SIZE,    /* of a chunk */
    STATE_EXTENSION,
    STATE_SIZE_LF,
    STATE_DATA, /* left bytes of body */
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_UNTIL_CLOSE,
    STATE_OVER,
};

/* A header that we use. */
struct wanted_header {
    const char *name;
    char *value;
    bool *is_given; /* a second one is an attack; NULL: the first counts */
};

struct http_reader {
    struct http_head head;
    enum http_code code; /* HTTP_OK: not broken */
    enum reader_state state;
    bool is_response;
    bool has_head;
    unsigned minor;    /* of HTTP/1.x */
    size_t lines_len;  /* of the head, the trailers or the chunk's line */
    unsigned word_len; /* of method, version, status, size or name */
    uint64_t left;     /* of the body, or of its current chunk */

    /* The current header. */
    char name[NAME_BYTES]; /* or the method */
    char *value;           /* destination of the value; NULL: ignored */
    size_t value_len;
    char host[HTTP_VALUE_BYTES];
    char coding[HTTP_VALUE_BYTES]; /* Transfer-Encoding */
    char length[HTTP_VALUE_BYTES]; /* Content-Length */
    char expect[HTTP_VALUE_BYTES];
    bool has_host, has_coding;

    /* The request target. */
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

/* ---- bytes and words ---- */

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110, 5.6.2. */
static bool is_token(unsigned char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

/* Of a header's value, a reason or an extension. */
static bool is_text(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* Returns 16 for any other byte. */
static unsigned hex_digit(unsigned char c)
{
    if (is_digit(c))
        return c - (unsigned)'0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

/* word is in lower case. */
static bool is_word(const char *text, const char *word)
{
    for (; *text != '\0' && *word != '\0'; text++, word++)
        if ((*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text) !=
            *word)
            return false;
    return *text == *word;
}

static bool refuse(struct http_reader *r, enum http_code code)
{
    r->code = code;
    return false;
}

static bool enter(struct http_reader *r, enum reader_state state)
{
    r->state = state;
    r->word_len = 0;
    return true;
}

/* ---- the first line ---- */

static bool read_method(struct http_reader *r, unsigned char c)
{
    if (c == ' ' && r->word_len > 0) {
        r->head.verb = strcmp(r->name, "GET") == 0    ? HTTP_VERB_GET
                       : strcmp(r->name, "HEAD") == 0 ? HTTP_VERB_HEAD
                       : strcmp(r->name, "POST") == 0 ? HTTP_VERB_POST
                                                      : HTTP_VERB_OTHER;
        return enter(r, STATE_TARGET);
    }
    if (!is_token(c) || r->word_len == NAME_BYTES - 1)
        return false;
    r->name[r->word_len++] = (char)c;
    return true;
}

/*
 * Like every server (RFC 9112, 3.2.2) we also accept a full URL, whose path
 * follows the authority.
 */
static bool read_target(struct http_reader *r, unsigned char c)
{
    bool is_first = !r->has_target;

    if (c == ' ')
        return r->has_target && enter(r, STATE_VERSION);
    if (c < '!' || c > '~')
        return false;
    r->has_target = true;
    if (r->path_len == 0 && c == '/' && !is_first)
        r->slashes++;
    if (r->path_len == 0 && (c != '/' || (!is_first && r->slashes < 3)))
        return true;
    if (r->path_len < sizeof(r->head.path))
        r->head.path[r->path_len++] = (char)c;
    return true;
}

static bool read_version(struct http_reader *r, unsigned char c)
{
    static const unsigned char version[] = "HTTP/1.";
    const unsigned len = sizeof(version) - 1;

    if (r->word_len == len + 1)
        return r->is_response ? c == ' ' && enter(r, STATE_STATUS)
                              : c == '\r' && enter(r, STATE_LINE_LF);
    if (r->word_len < len ? c != version[r->word_len] : c != '0' && c != '1')
        return false;
    r->minor = c - (unsigned)'0'; /* the last byte's counts */
    r->word_len++;
    return true;
}

static bool read_status(struct http_reader *r, unsigned char c)
{
    if (r->word_len == 3)
        return c == ' '    ? enter(r, STATE_REASON)
               : c == '\r' ? enter(r, STATE_LINE_LF)
                           : false;
    if (!is_digit(c) || (c == '0' && r->word_len == 0))
        return false;
    r->head.status = r->head.status * 10 + c - '0';
    r->word_len++;
    return true;
}

/* Text that we ignore, up to the end of its line. */
static bool skip_text(struct http_reader *r, unsigned char c,
                      enum reader_state next)
{
    return c == '\r' ? enter(r, next) : is_text(c);
}

/* ---- headers ---- */

/* Sets the destination of the value whose name is read. */
static bool begin_value(struct http_reader *r)
{
    const struct wanted_header headers[] = {
        { "host", r->host, &r->has_host },
        { "transfer-encoding", r->coding, &r->has_coding },
        { "content-length", r->length, &r->head.has_length },
        { "content-type", r->head.content_type, NULL },
        { "x-cdi-content-type", r->head.cdi_content_type, NULL },
        { "x-clonewire-disk-bytes", r->head.disk_bytes, NULL },
        { "expect", r->expect, NULL },
    };

    r->name[r->word_len] = '\0';
    r->value = NULL;
    r->value_len = 0;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (r->has_head || !is_word(r->name, headers[i].name))
            continue;
        if (headers[i].is_given && *headers[i].is_given)
            return false;
        if (headers[i].is_given)
            *headers[i].is_given = true;
        if (headers[i].value[0] == '\0')
            r->value = headers[i].value;
    }
    return enter(r, STATE_VALUE);
}

static bool read_name(struct http_reader *r, unsigned char c)
{
    if (c == ':')
        return begin_value(r);
    if (!is_token(c)) /* also a space: readers disagree about "Name : value" */
        return false;
    if (r->word_len < NAME_BYTES - 1)
        r->name[r->word_len++] = (char)c;
    return true;
}

/* Spaces and tabs around a value are not part of it. */
static bool read_value(struct http_reader *r, unsigned char c)
{
    bool is_space = c == ' ' || c == '\t';

    if (c == '\r') {
        while (r->value && r->value_len > 0 &&
               strchr(" \t", r->value[r->value_len - 1]))
            r->value[--r->value_len] = '\0';
        return enter(r, STATE_LINE_LF);
    }
    if (!is_text(c))
        return false;
    if (!r->value || (is_space && r->value_len == 0))
        return true;
    if (r->value_len == HTTP_VALUE_BYTES - 1)
        return refuse(r, HTTP_LONG);
    r->value[r->value_len++] = (char)c;
    r->value[r->value_len] = '\0';
    return true;
}

static bool read_line(struct http_reader *r, unsigned char c)
{
    if (c == '\r')
        return enter(r, STATE_LAST_LF);
    enter(r, STATE_NAME);
    return c != ':' && read_name(r, c); /* a space: folded */
}

/* ---- the end of a head ---- */

/* RFC 9112, 6.2: digits and nothing else. */
static bool take_length(struct http_reader *r)
{
    uint64_t length = 0;

    for (const char *p = r->length; *p != '\0'; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';

        if (digit > 9 || length > (UINT64_MAX - digit) / 10)
            return false;
        length = length * 10 + digit;
    }
    r->head.length_bytes = length;
    return r->length[0] != '\0';
}

/* RFC 9112, 6.3: the length of a body is given in one way, or refused. */
static bool take_framing(struct http_reader *r)
{
    r->head.is_chunked = r->has_coding;
    if (r->has_coding && !is_word(r->coding, "chunked"))
        return refuse(r, HTTP_UNKNOWN);
    if (r->has_coding && (r->minor == 0 || r->head.has_length))
        return false;
    return !r->head.has_length || take_length(r);
}

/* RFC 9112, 3.2: one host, and nothing that only some readers take as one. */
static bool take_host(const struct http_reader *r)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~!$&'()*+;=%:[]";

    return (r->has_host || r->minor == 0) &&
           r->host[strspn(r->host, allowed)] == '\0';
}

static bool take_path(struct http_reader *r)
{
    char *query;

    if (r->path_len == 0 && r->slashes == 2)
        r->head.path[r->path_len++] = '/'; /* "https://host" */
    if (r->path_len == 0)
        return r->head.verb == HTTP_VERB_OTHER;
    if (r->path_len == sizeof(r->head.path))
        r->path_len = 0; /* too long to be known: "" */
    r->head.path[r->path_len] = '\0';
    query = strchr(r->head.path, '?');
    if (query)
        *query = '\0';
    return true;
}

/* Which bytes follow a head; RFC 9112, 6.3. */
static enum reader_state body_state(const struct http_reader *r)
{
    bool is_empty = r->is_response
                        ? r->head.status < 200 || r->head.status == 204 ||
                              r->head.status == 304
                        : !r->head.is_chunked && !r->head.has_length;

    if (is_empty)
        return STATE_OVER;
    if (r->head.is_chunked)
        return STATE_SIZE;
    if (!r->head.has_length)
        return STATE_UNTIL_CLOSE;
    return r->left > 0 ? STATE_DATA : STATE_OVER;
}

static bool end_head(struct http_reader *r)
{
    if (r->has_head) /* these were the trailers */
        return enter(r, STATE_OVER);
    if (!take_framing(r) ||
        (!r->is_response && (!take_host(r) || !take_path(r))))
        return false;
    r->head.expects_continue = is_word(r->expect, "100-continue");
    r->has_head = true;
    r->lines_len = 0;
    r->left = r->head.length_bytes;
    return enter(r, body_state(r));
}

/* ---- the chunked coding ---- */

static bool read_size(struct http_reader *r, unsigned char c)
{
    unsigned digit = hex_digit(c);

    if (r->word_len > 0 && c == '\r')
        return enter(r, STATE_SIZE_LF);
    if (r->word_len > 0 && c == ';')
        return enter(r, STATE_EXTENSION);
    if (digit > 15 || r->left >> 60 != 0)
        return false;
    r->left = r->left << 4 | digit;
    r->word_len++;
    return true;
}

/* The line before a chunk has ended. */
static bool begin_chunk(struct http_reader *r)
{
    r->lines_len = 0;
    return enter(r, r->left > 0 ? STATE_DATA : STATE_LINE);
}

/* ---- reading ---- */

/* Returns false if no valid message has this byte here. */
static bool read_byte(struct http_reader *r, unsigned char c)
{
    switch (r->state) {
    case STATE_METHOD: return read_method(r, c);
    case STATE_TARGET: return read_target(r, c);
    case STATE_VERSION: return read_version(r, c);
    case STATE_STATUS: return read_status(r, c);
    case STATE_REASON: return skip_text(r, c, STATE_LINE_LF);
    case STATE_LINE: return read_line(r, c);
    case STATE_NAME: return read_name(r, c);
    case STATE_VALUE: return read_value(r, c);
    case STATE_LINE_LF: return c == '\n' && enter(r, STATE_LINE);
    case STATE_LAST_LF: return c == '\n' && end_head(r);
    case STATE_SIZE: return read_size(r, c);
    case STATE_EXTENSION: return skip_text(r, c, STATE_SIZE_LF);
    case STATE_SIZE_LF: return c == '\n' && begin_chunk(r);
    case STATE_DATA_CR: return c == '\r' && enter(r, STATE_DATA_LF);
    case STATE_DATA_LF: return c == '\n' && enter(r, STATE_SIZE);
    case STATE_DATA:
    case STATE_UNTIL_CLOSE:
    case STATE_OVER: break;
    }
    return false;
}

/* Counts one byte of a line; false: more of them than we accept. */
static bool count_byte(struct http_reader *r)
{
    bool is_chunk_line = r->state >= STATE_SIZE;

    if (r->lines_len == (is_chunk_line ? LINE_BYTES : HTTP_REQUEST_BYTES))
        return refuse(r, is_chunk_line ? HTTP_BAD : HTTP_LONG);
    r->lines_len++;
    return true;
}

static enum http_event break_off(struct http_reader *r)
{
    if (r->code == HTTP_OK)
        r->code = HTTP_BAD;
    return HTTP_EVENT_BROKEN;
}

static enum http_event take_body(struct http_reader *r, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body)
{
    if (r->state == STATE_DATA && len > r->left)
        len = (size_t)r->left;
    *body = (struct http_piece){ in, len };
    *used += len;
    if (r->state == STATE_UNTIL_CLOSE)
        return HTTP_EVENT_BODY;
    r->left -= len;
    if (r->left == 0)
        enter(r, r->head.is_chunked ? STATE_DATA_CR : STATE_OVER);
    return HTTP_EVENT_BODY;
}

enum http_event http_reader_feed(struct http_reader *r, const char *in,
                                 size_t len, size_t *used,
                                 struct http_piece *body)
{
    *used = 0;
    *body = (struct http_piece){ NULL, 0 };
    if (r->code != HTTP_OK)
        return HTTP_EVENT_BROKEN;
    while (*used < len && r->state != STATE_OVER) {
        bool had_head = r->has_head;

        if (r->state == STATE_DATA || r->state == STATE_UNTIL_CLOSE)
            return take_body(r, in + *used, len - *used, used, body);
        if (!count_byte(r) || !read_byte(r, (unsigned char)in[(*used)++]))
            return break_off(r);
        if (r->has_head != had_head)
            return HTTP_EVENT_HEAD;
    }
    return r->state == STATE_OVER ? HTTP_EVENT_END : HTTP_EVENT_MORE;
}

struct http_reader *http_reader_open(bool is_response)
{
    struct http_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->code = HTTP_OK;
    r->is_response = is_response;
    r->state = is_response ? STATE_VERSION : STATE_METHOD;
    return r;
}

void http_reader_close(struct http_reader *reader)
{
    free(reader);
}

const struct http_head *http_reader_head(const struct http_reader *reader)
{
    return &reader->head;
}

uint64_t http_reader_body_left(const struct http_reader *reader)
{
    return reader->state == STATE_DATA ? reader->left : 0;
}

enum http_code http_reader_code(const struct http_reader *reader)
{
    return reader->code;
}

/* ---- writing ---- */

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
