#include "net/http.h"

#include <stdio.h>
#include <string.h>

/* Text that is being read from its front. */
struct text {
    const char *at;
    const char *end;
};

const char *http_reason(enum http_result status)
{
    switch (status) {
    case HTTP_OK: return "OK";
    case HTTP_BAD: return "Bad Request";
    case HTTP_NOT_FOUND: return "Not Found";
    case HTTP_NOT_GET: return "Method Not Allowed";
    case HTTP_LONG: return "Request Header Fields Too Large";
    case HTTP_UNAVAILABLE: return "Service Unavailable";
    }
    return "";
}

/* RFC 9110, 5.6.2. */
static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

/* Up to and without c, which is passed over too.  False: no c. */
static bool take_until(struct text *text, char c, struct text *out)
{
    size_t len = (size_t)(text->end - text->at);
    const char *found = memchr(text->at, c, len);

    if (!found)
        return false;
    *out = (struct text){ text->at, found };
    text->at = found + 1;
    return true;
}

static size_t length(const struct text *text)
{
    return (size_t)(text->end - text->at);
}

static bool is(const struct text *text, const char *word)
{
    return length(text) == strlen(word) &&
           memcmp(text->at, word, length(text)) == 0;
}

/*
 * How many bytes at the front are well-formed as lines: printable or tab or
 * from another alphabet, and CR only before LF.
 */
static bool is_clean(const char *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];
        bool is_end = i + 1 == len;

        if (c == '\r' && (is_end || in[i + 1] == '\n'))
            continue;
        if (c == '\n' && i > 0 && in[i - 1] == '\r')
            continue;
        if (c != '\t' && (c < ' ' || c == 0x7f))
            return false;
    }
    return true;
}

static bool take_path(struct text *target, struct http_request *request,
                      enum http_result *result)
{
    size_t len = 0;

    for (const char *c = target->at; c < target->end; c++)
        if (*c < '!' || *c > '~')
            return false;
    if (length(target) == 0 || target->at[0] != '/')
        return false;
    while (len < length(target) && target->at[len] != '?')
        len++;
    if (len >= sizeof(request->path)) {
        *result = HTTP_NOT_FOUND;
        return true;
    }
    memcpy(request->path, target->at, len);
    request->path[len] = '\0';
    return true;
}

/* "GET /metrics HTTP/1.1" */
static bool take_request_line(struct text *line, struct http_request *request,
                              enum http_result *result)
{
    struct text method, target;

    if (!take_until(line, ' ', &method) || !take_until(line, ' ', &target) ||
        length(&method) == 0 || !(is(line, "HTTP/1.1") || is(line, "HTTP/1.0")))
        return false;
    for (const char *c = method.at; c < method.end; c++)
        if (!is_token_char(*c))
            return false;
    request->is_head = is(&method, "HEAD");
    if (!request->is_head && !is(&method, "GET"))
        *result = HTTP_NOT_GET;
    return take_path(&target, request, result);
}

/* "Name: value"; a space before it would be a folded line. */
static bool is_header(struct text *line)
{
    struct text name;

    if (!take_until(line, ':', &name) || length(&name) == 0)
        return false;
    for (const char *c = name.at; c < name.end; c++)
        if (!is_token_char(*c))
            return false;
    return true;
}

/* A whole request, its empty line not included.  False: HTTP_BAD. */
static bool take_request(struct text *text, struct http_request *request,
                         enum http_result *result)
{
    struct text line;

    for (bool is_first = true; take_until(text, '\n', &line);
         is_first = false) {
        line.end--; /* the CR, which is_clean() saw */
        if (is_first ? !take_request_line(&line, request, result)
                     : !is_header(&line))
            return false;
    }
    return true;
}

bool http_parse(const char *in, size_t len, struct http_request *request,
                enum http_result *result)
{
    static const char end[] = "\r\n\r\n";
    const char *found = memmem(in, len, end, sizeof(end) - 1);
    size_t used = found ? (size_t)(found - in) + 2 : len;
    struct text text = { in, in + used };

    *result = HTTP_OK;
    if (!is_clean(in, used)) {
        *result = HTTP_BAD;
        return true;
    }
    if (!found) {
        *result = HTTP_LONG;
        return len >= HTTP_REQUEST_BYTES;
    }
    if (!take_request(&text, request, result))
        *result = HTTP_BAD;
    return true;
}

size_t http_head(char out[HTTP_HEAD_BYTES], enum http_result status,
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
