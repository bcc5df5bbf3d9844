/*
 * plain_copy.c - the bound: moves a disk over bare TCP.
 *
 *   bench-plain-copy receive DESTINATION HOST PORT
 *   bench-plain-copy send SOURCE HOST PORT
 *
 * The same reads, writes, socket copies and zero scan as clonewire at the
 * same depth, and nothing else: no TLS, digest, progress or checks.  What is
 * faster than this is faster for another reason than crypto.
 *
 * A run on the wire is {offset, length} (16 bytes, big-endian) and its bytes;
 * length 0 ends the stream, and one byte comes back when all is durable.
 * DESTINATION exists, is large enough, and reads zero where nothing is sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "io/buffer_pool.h"
#include "io/file.h"
#include "io/io_queue.h"
#include "plan/chunk_grid.h"

#define DEPTH            8U
#define RUN_BYTES        16U
#define SOCKET_BUF_BYTES (4 << 20)

struct copier {
    struct file file;
    struct io_queue *queue;
    struct buffer_pool *pool;
    struct io slots[DEPTH];
    struct io *idle[DEPTH];
    unsigned idle_count;
    int sock;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "plain-copy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_all(int sock, const uint8_t *data, size_t len, int flags)
{
    while (len > 0) {
        ssize_t n = send(sock, data, len, flags | MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            die("send");
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

/* MSG_WAITALL comes back short when a completion of the ring interrupts. */
static void recv_all(int sock, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(sock, data, len, MSG_WAITALL);

        if (n == 0)
            errno = ECONNRESET;
        if (n == 0 || (n < 0 && errno != EINTR))
            die("receive");
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

static int dial(const struct addrinfo *to)
{
    int sock = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (sock < 0 || connect(sock, to->ai_addr, to->ai_addrlen) < 0)
        die("connect");
    return sock;
}

static int accept_one(const struct addrinfo *at)
{
    int listener = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    int sock;

    if (listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(listener, at->ai_addr, at->ai_addrlen) < 0 ||
        listen(listener, 1) < 0)
        die("listen");
    sock = accept(listener, NULL, NULL);
    if (sock < 0)
        die("accept");
    close(listener);
    return sock;
}

static void open_socket(struct copier *c, const char *host, const char *port,
                        int (*open_one)(const struct addrinfo *))
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    int size = SOCKET_BUF_BYTES;
    int one = 1;

    if (getaddrinfo(host, port, &hints, &list) != 0)
        die(host);
    c->sock = open_one(list);
    freeaddrinfo(list);
    setsockopt(c->sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(c->sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(c->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void open_disk(struct copier *c, const char *path, int flags)
{
    enum cw_io_engine engine;
    struct error err = { 0 };
    char why[256];
    size_t region_len;
    void *region;

    errno = -file_open(&c->file, path, flags, 0, CW_IO_MODE_AUTO);
    if (errno != 0)
        die(path);
    c->pool = buffer_pool_open(DEPTH, CHUNK_BYTES);
    if (c->pool == NULL)
        die("memory");
    region = buffer_pool_region(c->pool, &region_len);
    if (io_queue_choose(CW_IO_ENGINE_AUTO, &engine, why, sizeof(why), &err) <
            0 ||
        io_queue_open(engine, DEPTH, region, region_len, &c->queue, &err) < 0) {
        fprintf(stderr, "plain-copy: %s\n", err.text);
        exit(1);
    }
    for (unsigned i = 0; i < DEPTH; i++)
        c->idle[c->idle_count++] = &c->slots[i];
}

static struct io *take_idle(struct copier *c, enum io_op op)
{
    struct io *io = c->idle[--c->idle_count];

    memset(io, 0, sizeof(*io));
    io->op = op;
    io->file = &c->file;
    io->buf = buffer_pool_lease(c->pool);
    return io;
}

static struct io *reap(struct copier *c)
{
    struct io *io = io_queue_reap(c->queue, true);

    errno = -io->result;
    if (errno != 0)
        die(io->op == IO_READ ? "read" : "write");
    return io;
}

static void release(struct copier *c, struct io *io)
{
    buffer_pool_return(c->pool, io->buf);
    c->idle[c->idle_count++] = io;
}

static void put_run(uint8_t *out, uint64_t offset, uint64_t length)
{
    put_be64(out, offset);
    put_be64(out + 8, length);
}

/* Length of the run of zero, or of non-zero, grains that begins at data. */
static size_t run_length(const uint8_t *data, size_t len, bool zero)
{
    size_t done = 0;

    while (done < len) {
        size_t grain = len - done < BLOCK_BYTES ? len - done : BLOCK_BYTES;

        if (iszero(data + done, grain) != zero)
            break;
        done += grain;
    }
    return done;
}

static void send_chunk(struct copier *c, const struct io *io)
{
    size_t begin = run_length(io->buf, io->len, true);

    while (begin < io->len) {
        size_t len = run_length(io->buf + begin, io->len - begin, false);
        uint8_t head[RUN_BYTES];

        put_run(head, io->offset + begin, len);
        send_all(c->sock, head, sizeof(head), MSG_MORE);
        send_all(c->sock, io->buf + begin, len, 0);
        begin += len;
        begin += run_length(io->buf + begin, io->len - begin, true);
    }
}

/* The next data at or after *offset; false: there is none.  A file that
 * knows no holes (a block device) is data all over. */
static bool next_data(const struct file *file, uint64_t *offset, uint64_t *end)
{
    off_t begin = lseek(file->fd, (off_t)*offset, SEEK_DATA);

    *end = file->size_bytes;
    if (begin < 0)
        return errno != ENXIO && *offset < *end;
    *offset = (uint64_t)begin;
    *end = (uint64_t)lseek(file->fd, begin, SEEK_HOLE);
    return *offset < *end;
}

static void submit_read(struct copier *c, uint64_t *offset, uint64_t end)
{
    struct io *io = take_idle(c, IO_READ);
    uint64_t to_chunk = CHUNK_BYTES - *offset % CHUNK_BYTES;

    io->offset = *offset;
    io->len = (size_t)(end - *offset < to_chunk ? end - *offset : to_chunk);
    *offset += io->len;
    io_queue_submit(c->queue, io);
}

static void send_disk(struct copier *c)
{
    uint8_t last[RUN_BYTES] = { 0 };
    uint64_t offset = 0;
    uint64_t end = 0;
    bool more = true;

    while (more || io_queue_in_flight(c->queue) > 0) {
        struct io *io;

        while (more && c->idle_count > 0) {
            if (offset >= end && !(more = next_data(&c->file, &offset, &end)))
                break;
            submit_read(c, &offset, end);
        }
        if (io_queue_in_flight(c->queue) == 0)
            break;
        io = reap(c);
        send_chunk(c, io);
        release(c, io);
    }
    send_all(c->sock, last, sizeof(last), 0);
    recv_all(c->sock, last, 1);
}

static void receive_disk(struct copier *c)
{
    uint8_t head[RUN_BYTES];

    for (;;) {
        struct io *io;
        uint64_t length;

        recv_all(c->sock, head, sizeof(head));
        length = get_be64(head + 8);
        if (length == 0)
            break;
        if (length > CHUNK_BYTES) {
            errno = EPROTO;
            die("run");
        }
        if (c->idle_count == 0)
            release(c, reap(c));
        io = take_idle(c, IO_WRITE);
        io->offset = get_be64(head);
        io->len = (size_t)length;
        recv_all(c->sock, io->buf, io->len);
        io_queue_submit(c->queue, io);
    }
    while (io_queue_in_flight(c->queue) > 0)
        release(c, reap(c));
    errno = -file_sync(&c->file);
    if (errno != 0)
        die("sync");
    send_all(c->sock, head, 1, 0);
}

int main(int argc, char **argv)
{
    struct copier c = { .file = FILE_CLOSED };

    if (argc == 5 && strcmp(argv[1], "send") == 0) {
        open_disk(&c, argv[2], O_RDONLY);
        open_socket(&c, argv[3], argv[4], dial);
        send_disk(&c);
    } else if (argc == 5 && strcmp(argv[1], "receive") == 0) {
        open_disk(&c, argv[2], O_RDWR);
        open_socket(&c, argv[3], argv[4], accept_one);
        receive_disk(&c);
    } else {
        fprintf(stderr, "usage: bench-plain-copy send|receive PATH HOST "
                        "PORT\n");
        return 2;
    }
    io_queue_close(c.queue);
    buffer_pool_close(c.pool);
    close(c.sock);
    return file_close(&c.file) < 0;
}
