/*
 * micro_tls.c - TLS over loopback TCP, one connection, no disks.
 *
 *   bench-micro-tls DIRECTORY    (ca-cert.pem, server-*.pem, client-*.pem)
 *
 * Chunks of 1 MiB behind a frame header, sent by one thread and received by
 * another: once through net/conn, which gathers records, once the way most
 * programs do it, SSL_write and SSL_read on the socket.  Prints wall time and
 * the CPU time of each end per chunk.
 */
#include "micro.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/conn.h"
#include "plan/chunk_grid.h"
#include "wire/frame.h"

#define CHUNKS  512U
#define BATCHES 5

struct files {
    char ca[512];
    char cert[512];
    char key[512];
};

/* One end of a connection; handle is the transport's own. */
struct transport {
    const char *name;
    void *(*open)(int sock, const struct files *files, bool is_server,
                  const struct sockaddr_in *to);
    void (*send)(void *handle, const void *data, size_t len);
    void (*recv)(void *handle, void *data, size_t len);
    void (*flush)(void *handle);
    void (*close)(void *handle);
};

static void fill_files(struct files *files, const char *directory,
                       const char *end)
{
    snprintf(files->ca, sizeof(files->ca), "%s/ca-cert.pem", directory);
    snprintf(files->cert, sizeof(files->cert), "%s/%s-cert.pem", directory,
             end);
    snprintf(files->key, sizeof(files->key), "%s/%s-key.pem", directory, end);
}

/* ---- net/conn ---- */

struct batching {
    struct tls *tls;
    struct conn *conn;
};

static void *batching_open(int sock, const struct files *files, bool is_server,
                           const struct sockaddr_in *to)
{
    struct tls_options identity = {
        .cert_file = files->cert,
        .key_file = files->key,
        .ca_file = files->ca,
    };
    struct conn_options options = {
        .role = CONN_DATA,
        .handshake_timeout_ms = 10000,
    };
    struct batching *b = calloc(1, sizeof(*b));
    struct addr addr = { .host = "127.0.0.1" };
    struct error err = { 0 };

    micro_require(b && tls_open(&identity, is_server, &b->tls, &err) == 0,
                  "tls_open");
    snprintf(addr.port, sizeof(addr.port), "%u", (unsigned)ntohs(to->sin_port));
    if (is_server)
        micro_require(conn_accept(sock, b->tls, &options, &b->conn, &err) == 0,
                      err.text);
    else
        micro_require(conn_dial(&addr, b->tls, &options, &b->conn, &err) == 0,
                      err.text);
    return b;
}

static void batching_send(void *handle, const void *data, size_t len)
{
    struct error err = { 0 };

    micro_require(
        conn_send(((struct batching *)handle)->conn, data, len, &err) == 0,
        "conn_send");
}

static void batching_recv(void *handle, void *data, size_t len)
{
    struct error err = { 0 };

    micro_require(
        conn_recv(((struct batching *)handle)->conn, data, len, &err) == 0,
        "conn_recv");
}

static void batching_flush(void *handle)
{
    struct error err = { 0 };

    micro_require(conn_flush(((struct batching *)handle)->conn, &err) == 0,
                  "conn_flush");
}

static void batching_close(void *handle)
{
    struct batching *b = handle;

    conn_close(b->conn);
    tls_close(b->tls);
    free(b);
}

/* ---- OpenSSL on the socket ---- */

static void *socket_open(int sock, const struct files *files, bool is_server,
                         const struct sockaddr_in *to)
{
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method()
                                             : TLS_client_method());
    int one = 1;
    SSL *ssl;

    micro_require(
        context &&
            SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") &&
            SSL_CTX_use_certificate_chain_file(context, files->cert) &&
            SSL_CTX_use_PrivateKey_file(context, files->key,
                                        SSL_FILETYPE_PEM) &&
            SSL_CTX_load_verify_locations(context, files->ca, NULL),
        "context");
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (!is_server) {
        sock = socket(AF_INET, SOCK_STREAM, 0);
        micro_require(connect(sock, (const struct sockaddr *)to, sizeof(*to)) ==
                          0,
                      "connect");
    }
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    micro_require(ssl && SSL_set_fd(ssl, sock), "SSL_set_fd");
    micro_require((is_server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1,
                  "handshake");
    return ssl;
}

static void socket_send(void *handle, const void *data, size_t len)
{
    size_t n;

    micro_require(SSL_write_ex(handle, data, len, &n) == 1 && n == len,
                  "SSL_write");
}

static void socket_recv(void *handle, void *data, size_t len)
{
    for (size_t done = 0, n; done < len; done += n)
        micro_require(
            SSL_read_ex(handle, (uint8_t *)data + done, len - done, &n) == 1,
            "SSL_read");
}

static void socket_flush(void *handle)
{
    (void)handle; /* every SSL_write left at once */
}

static void socket_close(void *handle)
{
    int sock = SSL_get_fd(handle);

    SSL_shutdown(handle);
    SSL_free(handle);
    close(sock);
}

static const struct transport transports[] = {
    { "batching", batching_open, batching_send, batching_recv, batching_flush,
      batching_close },
    { "socket-bio", socket_open, socket_send, socket_recv, socket_flush,
      socket_close },
};

/* ---- both ends ---- */

struct receiver {
    const struct transport *transport;
    struct files files;
    struct sockaddr_in at;
    int listener;
    uint64_t chunks;
    uint64_t cpu_ns;
};

static uint64_t thread_cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * CLOCK_SECOND_NS + (uint64_t)ts.tv_nsec;
}

static void *receive(void *opaque)
{
    struct receiver *r = opaque;
    uint8_t *chunk = micro_memory(CHUNK_BYTES);
    uint8_t head[FRAME_HEADER_BYTES];
    int sock = accept(r->listener, NULL, NULL);
    void *handle = r->transport->open(sock, &r->files, true, &r->at);
    uint64_t begin = thread_cpu_ns();

    for (uint64_t i = 0; i < r->chunks; i++) {
        r->transport->recv(handle, head, sizeof(head));
        r->transport->recv(handle, chunk, CHUNK_BYTES);
    }
    r->cpu_ns = thread_cpu_ns() - begin;
    r->transport->close(handle);
    free(chunk);
    return NULL;
}

static int listen_on_loopback(struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int sock = socket(AF_INET, SOCK_STREAM, 0);

    *at = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    micro_require(sock >= 0 &&
                      bind(sock, (struct sockaddr *)at, sizeof(*at)) == 0 &&
                      listen(sock, 1) == 0 &&
                      getsockname(sock, (struct sockaddr *)at, &len) == 0,
                  "listen");
    return sock;
}

/* Header and chunk lie together, as in a pool buffer with its headroom. */
static uint64_t send_chunks(const struct transport *transport, void *handle,
                            const uint8_t *message, uint64_t chunks)
{
    uint64_t begin = thread_cpu_ns();

    for (uint64_t i = 0; i < chunks; i++)
        transport->send(handle, message, FRAME_HEADER_BYTES + CHUNK_BYTES);
    transport->flush(handle);
    return thread_cpu_ns() - begin;
}

struct cost {
    uint64_t wall_ns;
    uint64_t send_ns;
    uint64_t recv_ns;
};

static struct cost transfer(const struct transport *transport,
                            const char *directory, uint64_t chunks)
{
    struct receiver r = { .transport = transport, .chunks = chunks };
    uint8_t *message = micro_memory(FRAME_HEADER_BYTES + CHUNK_BYTES);
    struct cost cost = { 0 };
    struct files files;
    pthread_t thread;
    uint64_t begin;
    void *handle;

    micro_fill(message, FRAME_HEADER_BYTES + CHUNK_BYTES);
    fill_files(&files, directory, "client");
    fill_files(&r.files, directory, "server");
    r.listener = listen_on_loopback(&r.at);
    micro_require(pthread_create(&thread, NULL, receive, &r) == 0, "thread");

    handle = transport->open(-1, &files, false, &r.at);
    begin = clock_now_ns();
    cost.send_ns = send_chunks(transport, handle, message, chunks);
    pthread_join(thread, NULL);
    cost.wall_ns = clock_now_ns() - begin;
    cost.recv_ns = r.cpu_ns;
    transport->close(handle);
    close(r.listener);
    free(message);
    return cost;
}

static void print(const char *transport, const char *what, uint64_t ns,
                  uint64_t chunks)
{
    char name[64];

    snprintf(name, sizeof(name), "tls.%s-%s", transport, what);
    micro_print(name, (double)ns / (double)chunks, (double)CHUNK_BYTES);
}

static void measure(const struct transport *transport, const char *directory)
{
    uint64_t chunks = micro_iterations(CHUNKS);
    struct cost best = { .wall_ns = UINT64_MAX };

    for (unsigned i = 0; i < BATCHES; i++) {
        struct cost cost = transfer(transport, directory, chunks);

        if (cost.wall_ns < best.wall_ns)
            best = cost;
    }
    print(transport->name, "wall", best.wall_ns, chunks);
    print(transport->name, "send-cpu", best.send_ns, chunks);
    print(transport->name, "recv-cpu", best.recv_ns, chunks);
}

int main(int argc, char **argv)
{
    argc = micro_begin(argc, argv);
    micro_require(argc == 2, "usage: bench-micro-tls DIRECTORY");
    for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
        if (micro_wants(transports[i].name))
            measure(&transports[i], argv[1]);
    return 0;
}
