/* The HTTP server on a port of its own, with good, slow and hostile clients. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "http/server.h"
#include "pki.h"
#include "tls/tls.h"

#define FULL_BYTES 60000

static struct pki pki;
static SSL_CTX *client_ctx; /* verifies against our CA */

struct server {
    struct tls *tls;
    struct http_server *server;
    uint16_t port;
};

struct client {
    int fd;
    SSL *ssl; /* NULL: the handshake failed */
};

static char full[FULL_BYTES + 1]; /* a body of many records */

static bool show_ok(void *opaque, struct request *request)
{
    (void)opaque;
    request_answer(request, HTTP_OK, HTTP_TEXT, "fine\n");
    return false;
}

static bool show_full(void *opaque, struct request *request)
{
    (void)opaque;
    request_answer(request, HTTP_OK, HTTP_TEXT, full);
    return false;
}

static const struct http_route routes[] = {
    { "/ok", show_ok, true, 0 },
    { "/full", show_full, true, 0 },
    { NULL, NULL, true, 0 },
};

static const struct http_service service = { .routes = routes,
                                             .is_open = true };

static void server_open(struct server *s, bool is_psk)
{
    struct tls_options options = { .peer_name = "source" };
    struct addr addr = { .host = "127.0.0.1", .port = "0" };
    struct error err = { .text = "" };

    if (is_psk) {
        pki_write(&pki, "psk", "vm:00112233445566778899aabbccddeeff\n");
        options.psk_file = pki_path(&pki, "psk", "");
    } else {
        options.cert_file = pki_path(&pki, "target", ".crt");
        options.key_file = pki_path(&pki, "target", ".key");
        options.ca_file = pki_path(&pki, "ca", ".crt");
    }
    assert_int_equal(tls_open(&options, true, &s->tls, &err), 0);
    if (http_server_open(&addr, s->tls, &service, &s->server, &err) < 0)
        fail_msg("%s", err.text);
    s->port = (uint16_t)strtoul(strchr(http_server_address(s->server), ':') + 1,
                                NULL, 10);
}

static void server_close(struct server *s)
{
    http_server_close(s->server);
    tls_close(s->tls);
}

static int dial(const struct server *s)
{
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_port = htons(s->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static struct client client_open(const struct server *s, bool verifies)
{
    struct client c = { .fd = dial(s), .ssl = SSL_new(client_ctx) };

    SSL_set_verify(c.ssl, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_set1_host(c.ssl, "localhost");
    SSL_set_fd(c.ssl, c.fd);
    if (SSL_connect(c.ssl) != 1) {
        SSL_free(c.ssl);
        c.ssl = NULL;
    }
    return c;
}

static void client_close(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
}

/* Sends and reads until the server has ended; the answer. */
static const char *ask(struct client *c, const char *request)
{
    static char answer[65536];
    size_t used = 0;
    int n;

    assert_non_null(c->ssl);
    assert_int_equal(SSL_write(c->ssl, request, (int)strlen(request)),
                     strlen(request));
    while ((n = SSL_read(c->ssl, answer + used,
                         (int)(sizeof(answer) - 1 - used))) > 0)
        used += (size_t)n;
    /* close_notify: an answer cannot have been cut short */
    assert_int_equal(SSL_get_error(c->ssl, n), SSL_ERROR_ZERO_RETURN);
    answer[used] = '\0';
    return answer;
}

static const char *get(const struct server *s, const char *path)
{
    struct client c = client_open(s, true);
    char request[256];
    const char *answer;

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
             path);
    answer = ask(&c, request);
    client_close(&c);
    return answer;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int setup(void **state)
{
    (void)state;
    pki_open(&pki);
    pki_make_usual(&pki);
    memset(full, 'x', FULL_BYTES);
    client_ctx = SSL_CTX_new(TLS_client_method());
    assert_int_equal(
        SSL_CTX_load_verify_file(client_ctx, pki_path(&pki, "ca", ".crt")), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    SSL_CTX_free(client_ctx);
    pki_close(&pki);
    return 0;
}

static void test_answers(void **state)
{
    struct server s;
    struct client c;
    const char *answer;

    (void)state;
    server_open(&s, false);
    answer = get(&s, "/ok");
    assert_true(starts(answer, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(answer, "Content-Length: 5\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nfine\n"));
    assert_true(starts(get(&s, "/gone"), "HTTP/1.1 404 Not Found\r\n"));

    answer = get(&s, "/full");
    answer = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(strlen(answer), FULL_BYTES);

    c = client_open(&s, true);
    answer = ask(&c, "HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(answer, "Content-Length: 5\r\n"));
    assert_int_equal(strlen(strstr(answer, "\r\n\r\n")), 4);
    client_close(&c);

    c = client_open(&s, true);
    assert_true(starts(ask(&c, "POST /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
                       "HTTP/1.1 405 "));
    client_close(&c);
    server_close(&s);
}

/* With a pre-shared key, the certificate is self-signed. */
static void test_self_signed(void **state)
{
    struct server s;
    struct client c;

    (void)state;
    server_open(&s, true);
    c = client_open(&s, true);
    assert_null(c.ssl);
    client_close(&c);
    c = client_open(&s, false);
    assert_true(starts(ask(&c, "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
                       "HTTP/1.1 200 "));
    client_close(&c);
    server_close(&s);
}

/* More silent clients than the server takes: probes still get through. */
static void test_slow_clients(void **state)
{
    struct server s;
    struct client silent[HTTP_SERVER_CLIENTS * 3];

    (void)state;
    server_open(&s, false);
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        silent[i] = i % 2 == 0 ? client_open(&s, true)
                               : (struct client){ .fd = dial(&s) };
    assert_true(starts(get(&s, "/ok"), "HTTP/1.1 200 "));
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        client_close(&silent[i]);
    server_close(&s);
}

/* A client that sends too slowly is dropped in time. */
static void test_timeout(void **state)
{
    struct server s;
    struct client c;
    uint64_t start_ns = clock_now_ns(), ms;
    ssize_t n;
    char byte;

    (void)state;
    server_open(&s, false);
    c = client_open(&s, true);
    assert_int_equal(SSL_write(c.ssl, "G", 1), 1);
    n = recv(c.fd, &byte, 1, 0); /* the server's end, TLS or not */
    ms = (clock_now_ns() - start_ns) / CLOCK_MS_NS;
    assert_true(n <= 0);
    assert_in_range(ms, HTTP_SERVER_TIMEOUT_MS - 500,
                    HTTP_SERVER_TIMEOUT_MS + 20000);
    client_close(&c);
    server_close(&s);
}

static void test_hostile_bytes(void **state)
{
    static char flood[HTTP_REQUEST_BYTES + 2];
    struct server s;
    struct client c;
    int fd;

    (void)state;
    memset(flood, 'a', sizeof(flood) - 1);
    memcpy(flood, "GET / HTTP/1.1\r\nA: ", 19);
    server_open(&s, false);

    c = client_open(&s, true);
    assert_true(starts(ask(&c, flood), "HTTP/1.1 431 "));
    client_close(&c);
    c = client_open(&s, true);
    assert_true(starts(ask(&c, "\x01\x02"), "HTTP/1.1 400 "));
    client_close(&c);

    fd = dial(&s); /* no TLS at all */
    assert_int_equal(send(fd, flood, sizeof(flood), MSG_NOSIGNAL),
                     sizeof(flood));
    close(fd);
    c = client_open(&s, true); /* leaves in the middle of the answer */
    assert_int_equal(
        SSL_write(c.ssl, "GET /full HTTP/1.1\r\nHost: a\r\n\r\n", 31), 31);
    client_close(&c);
    assert_true(starts(get(&s, "/ok"), "HTTP/1.1 200 "));
    server_close(&s);
}

static void test_port_taken(void **state)
{
    struct server s;
    struct addr addr = { .host = "127.0.0.1" };
    struct http_server *second = NULL;
    struct error err;

    (void)state;
    server_open(&s, false);
    snprintf(addr.port, sizeof(addr.port), "%u", s.port);
    assert_int_equal(http_server_open(&addr, s.tls, &service, &second, &err),
                     -1);
    assert_non_null(strstr(err.text, "Address already in use"));
    http_server_close(second);
    server_close(&s);
    http_server_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_port_taken),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
