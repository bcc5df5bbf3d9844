#include "http/upload_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SCHEME       "https://"
#define DEFAULT_PORT "443"
#define LARGE_BYTES  8192U /* too large to copy */
#define PREFIX_BYTES 32U   /* fits "\r\n", a length in hex, "\r\n" */

/* Does "host" or "[v6]" have a port after it? */
static bool has_port(const char *authority)
{
    const char *bracket = strchr(authority, ']');

    return strchr(bracket ? bracket : authority, ':') != NULL;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

int upload_client_parse_url(const char *text, struct upload_client_url *url,
                            struct error *err)
{
    const char *authority = text + strlen(SCHEME), *path;
    size_t len;

    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 || !is_printable(text))
        return error_set(err, ERROR_USAGE, 0,
                         "\"%.200s\" does not begin with " SCHEME, text);
    len = strcspn(authority, "/?#");
    path = authority + len;
    if (len == 0 || len > 255 || memchr(authority, '@', len) ||
        strlen(path) >= sizeof(url->path) || (*path != '/' && *path != '\0'))
        return error_set(err, ERROR_USAGE, 0,
                         "\"%.200s\": cannot make out a host and a path", text);
    snprintf(url->host, sizeof(url->host), "%.*s", (int)len, authority);
    snprintf(url->path, sizeof(url->path), "%s", *path ? path : "/");
    if (!has_port(url->host))
        snprintf(url->host + len, sizeof(url->host) - len, ":" DEFAULT_PORT);
    return addr_parse(url->host, &url->addr, err);
}

/* ---- out ---- */

int upload_client_open(struct upload_client *client, struct conn *conn,
                       const struct http_post *head, struct error *err)
{
    char text[1024];
    size_t len = http_write_post(text, sizeof(text), head);

    client->conn = conn;
    client->reader = http_reader_open(true);
    if (!client->reader || len == 0)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "make a request");
    return conn_send(conn, text, len, err);
}

static void gather(struct upload_client *client, const void *data, size_t len)
{
    memcpy(client->gather + client->held, data, len);
    client->held += len;
}

static int send_gathered(struct upload_client *client, struct error *err)
{
    size_t len = client->held;

    client->held = 0;
    return len > 0 ? conn_send(client->conn, client->gather, len, err) : 0;
}

int upload_client_put(struct upload_client *client, const void *head,
                      size_t head_len, const void *body, size_t body_len,
                      struct error *err)
{
    bool is_large = body_len >= LARGE_BYTES;
    size_t need = PREFIX_BYTES + head_len + (is_large ? 0 : body_len) + 2;

    if (client->is_answered)
        return 1;
    if (need > sizeof(client->gather) - client->held &&
        send_gathered(client, err) < 0)
        return -1;
    client->held += (size_t)snprintf(client->gather + client->held,
                                     PREFIX_BYTES, "%zx\r\n",
                                     head_len + body_len);
    if (head_len > 0)
        gather(client, head, head_len);
    if (!is_large) {
        gather(client, body, body_len);
    } else if (send_gathered(client, err) < 0 ||
               conn_send(client->conn, body, body_len, err) < 0) {
        return -1;
    }
    gather(client, "\r\n", 2);
    return 0;
}

int upload_client_end(struct upload_client *client, struct error *err)
{
    static const char last[] = "0\r\n\r\n";

    if (send_gathered(client, err) < 0 ||
        conn_send(client->conn, last, sizeof(last) - 1, err) < 0 ||
        conn_flush(client->conn, err) < 0)
        return -1;
    client->has_ended = true;
    return 0;
}

/* ---- in ---- */

static void keep_reason(struct upload_client *client,
                        const struct http_piece *piece)
{
    size_t room = sizeof(client->reason) - 1 - client->reason_len;
    size_t len = piece->len < room ? piece->len : room;

    for (size_t i = 0; i < len; i++) {
        char c = piece->data[i];

        client->reason[client->reason_len++] = c >= ' ' && c <= '~' ? c : ' ';
    }
    client->reason[client->reason_len] = '\0';
}

/* An interim answer (RFC 9110, 15.2) comes before the real one. */
static int end_answer(struct upload_client *client, struct error *err)
{
    client->is_answered = client->status >= 200;
    if (client->is_answered)
        return 0;
    client->status = 0;
    http_reader_close(client->reader);
    client->reader = http_reader_open(true);
    return client->reader
               ? 0
               : error_set(err, ERROR_SYSTEM, ENOMEM, "read an answer");
}

static int take_answer(struct upload_client *client, const char *in, size_t len,
                       struct error *err)
{
    enum http_event event = HTTP_EVENT_HEAD;

    while (event != HTTP_EVENT_MORE && !client->is_answered) {
        struct http_piece piece;
        size_t used = 0;

        event = http_reader_feed(client->reader, in, len, &used, &piece);
        in += used;
        len -= used;
        if (event == HTTP_EVENT_HEAD)
            client->status = http_reader_head(client->reader)->status;
        else if (event == HTTP_EVENT_BODY)
            keep_reason(client, &piece);
        else if (event == HTTP_EVENT_BROKEN)
            return error_set(err, ERROR_PROTOCOL, 0,
                             "the target's answer is not HTTP/1.1");
        else if (event == HTTP_EVENT_END && end_answer(client, err) < 0)
            return -1;
    }
    return 0;
}

int upload_client_look(struct upload_client *client, struct error *err)
{
    char buf[1024];
    int n;

    while (!client->is_answered &&
           (n = conn_recv_some(client->conn, buf, sizeof(buf), err)) != 0)
        if (n < 0 || take_answer(client, buf, (size_t)n, err) < 0)
            return -1;
    return client->is_answered || client->status != 0;
}

int upload_client_await(struct upload_client *client, struct error *err)
{
    char buf[1024];

    while (!client->is_answered) {
        ssize_t n = conn_recv_any(client->conn, buf, sizeof(buf), err);

        if (n < 0) {
            /* Some answers end when the connection closes. */
            client->is_answered = client->status != 0;
            return client->is_answered ? 0 : -1;
        }
        if (take_answer(client, buf, (size_t)n, err) < 0)
            return -1;
    }
    return 0;
}

void upload_client_close(struct upload_client *client)
{
    http_reader_close(client->reader);
    client->reader = NULL;
}
