/*
 * cdi_standin.c - what KubeVirt CDI's two ends do with a block disk, as far
 * as it costs: a measure for the path by HTTP.  Not CDI's code, which is in
 * Go; the same steps in C, which flatters it.
 *
 *   send:    read 32 KiB -> snappy, every byte -> a pipe -> TLS, one stream
 *   receive: TLS -> snappy -> 32 KiB: all zero? leave a hole : write -> fsync
 *
 *   cdi_standin receive PORT FILE CERTS     says "listening", serves one
 *   cdi_standin send PORT DISK CERTS
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/iszero.h"
#include "wire/snapframe.h"

#define READ_BYTES 32768U

static SSL_CTX *make_context(const char *certs, int is_server)
{
    SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method()
                                         : TLS_client_method());
    const char *who = is_server ? "target" : "source";
    char cert[512], key[512], ca[512];

    snprintf(cert, sizeof(cert), "%s/%s.crt", certs, who);
    snprintf(key, sizeof(key), "%s/%s.key", certs, who);
    snprintf(ca, sizeof(ca), "%s/ca.crt", certs);
    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1)
        errx(1, "TLS: certificates in %s", certs);
    SSL_CTX_set_num_tickets(ctx, 0); /* else a goodbye finds them unread */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    return ctx;
}

static struct sockaddr_in local(const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0)
            err(1, "write");
        at += n;
        len -= (size_t)n;
    }
}

/* ---- source ---- */

struct packer {
    const char *disk;
    int pipe_fd;
};

/* 64 KiB make a chunk, so two reads of 32 KiB. */
static void *pack(void *arg)
{
    static struct snapframe_writer writer;
    static uint8_t block[SNAPFRAME_BLOCK_BYTES];
    const struct packer *packer = arg;
    struct snapframe_chunk chunk;
    int fd = open(packer->disk, O_RDONLY);
    size_t held = 0;
    ssize_t n;

    if (fd < 0)
        err(1, "%s", packer->disk);
    write_all(packer->pipe_fd, snapframe_name, sizeof(snapframe_name));
    do {
        n = read(fd, block + held, READ_BYTES);
        if (n < 0)
            err(1, "read");
        held += (size_t)n;
        if (held == 0 || (n > 0 && held + READ_BYTES <= sizeof(block)))
            continue;
        snapframe_write(&writer, block, held, &chunk);
        write_all(packer->pipe_fd, chunk.head, sizeof(chunk.head));
        write_all(packer->pipe_fd, chunk.body, chunk.body_len);
        held = 0;
    } while (n > 0);
    close(fd);
    close(packer->pipe_fd);
    return NULL;
}

static void send_disk(const char *port, const char *disk, const char *certs)
{
    static char buf[READ_BYTES];
    struct sockaddr_in sa = local(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), fds[2];
    SSL *ssl = SSL_new(make_context(certs, 0));
    struct packer packer = { .disk = disk };
    pthread_t thread;
    ssize_t n;
    char byte;

    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || pipe(fds) < 0)
        err(1, "connect");
    if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        errx(1, "handshake");
    packer.pipe_fd = fds[1];
    pthread_create(&thread, NULL, pack, &packer);
    while ((n = read(fds[0], buf, sizeof(buf))) > 0)
        if (SSL_write(ssl, buf, (int)n) != n)
            errx(1, "send");
    pthread_join(thread, NULL);
    SSL_shutdown(ssl);
    if (read(fd, &byte, 1) < 0) /* until it has flushed */
        err(1, "answer");
}

/* ---- target ---- */

static void store(int fd, const uint8_t *data, size_t len, off_t at)
{
    for (size_t i = 0; i < len; i += READ_BYTES) {
        size_t n = len - i < READ_BYTES ? len - i : READ_BYTES;

        if (!iszero(data + i, n) &&
            pwrite(fd, data + i, n, at + (off_t)i) != (ssize_t)n)
            err(1, "write");
    }
}

static void receive(const char *port, const char *file, const char *certs)
{
    static struct snapframe_reader reader;
    static uint8_t in[READ_BYTES], out[SNAPFRAME_BLOCK_BYTES];
    struct sockaddr_in sa = local(port);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd, conn, n;
    SSL *ssl = SSL_new(make_context(certs, 1));
    off_t at = 0;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        listen(listener, 1) < 0)
        err(1, "listen");
    printf("listening\n");
    fflush(stdout);
    conn = accept(listener, NULL, NULL);
    fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (conn < 0 || fd < 0)
        err(1, "%s", file);
    if (SSL_set_fd(ssl, conn) != 1 || SSL_accept(ssl) != 1)
        errx(1, "handshake");
    snapframe_reader_init(&reader);
    while ((n = SSL_read(ssl, in, sizeof(in))) > 0) {
        const uint8_t *p = in;
        size_t len = (size_t)n;
        struct snapframe_block block;
        enum snapframe_result r;

        while ((r = snapframe_read(&reader, &p, &len, out, &block)) ==
               SNAPFRAME_BLOCK) {
            if (!block.is_zero)
                store(fd, out, block.len, at);
            at += (off_t)block.len;
        }
        if (r != SNAPFRAME_MORE)
            errx(1, "%s", snapframe_text(r));
    }
    if (ftruncate(fd, at) < 0 || fsync(fd) < 0)
        err(1, "fsync");
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: cdi_standin send|receive PORT PATH CERTS");
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "send") == 0)
        send_disk(argv[2], argv[3], argv[4]);
    else
        receive(argv[2], argv[3], argv[4]);
    return 0;
}
