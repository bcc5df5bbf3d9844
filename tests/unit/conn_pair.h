/*
 * conn_pair.h - a target and a source that shake hands over loopback, the
 * target on a thread of its own.
 */
#ifndef CW_TESTS_CONN_PAIR_H
#define CW_TESTS_CONN_PAIR_H

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "net/conn.h"
#include "pki.h"
#include "tls/tls_private.h"

/* One end, and what came of it. */
struct end {
    struct tls *tls;
    struct conn *conn;
    int result;
    struct error err;
};

struct pair {
    struct conn_options options;
    int listener;
    struct addr addr; /* of the listener, with its real port */
    struct end target, source;
    pthread_t thread;
};

static inline void pair_tls(const struct pki *pki, const char *name,
                            const char *ca, bool is_server, struct end *end)
{
    struct tls_options options = {
        .cert_file = pki_path(pki, name, ".crt"),
        .key_file = pki_path(pki, name, ".key"),
        .ca_file = pki_path(pki, ca, ".crt"),
    };

    if (tls_open(&options, is_server, &end->tls, &end->err) < 0)
        fail_msg("tls_open: %s", end->err.text);
}

/* The port that the kernel gave to a listener of ":0". */
static inline void pair_note_port(int fd, struct addr *addr)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    const char *port;
    char text[80];

    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    port = strrchr(addr_format((struct sockaddr *)&sa, len, text, sizeof(text)),
                   ':');
    assert_non_null(port);
    snprintf(addr->port, sizeof(addr->port), "%s", port + 1);
}

static inline void pair_listen(struct pair *pair, const char *host)
{
    struct error err;

    snprintf(pair->addr.host, sizeof(pair->addr.host), "%s", host);
    snprintf(pair->addr.port, sizeof(pair->addr.port), "%s", "0");
    if (conn_listen(&pair->addr, NULL, &pair->listener, 1, &err) != 1)
        fail_msg("listen: %s", err.text);
    pair_note_port(pair->listener, &pair->addr);
}

/* Next connection, as a socket; -1 after 20 s. */
static inline int pair_accept_fd(const struct pair *pair)
{
    struct pollfd pfd = { .fd = pair->listener, .events = POLLIN };

    if (poll(&pfd, 1, 20000) != 1)
        return -1;
    return accept4(pair->listener, NULL, NULL, SOCK_CLOEXEC);
}

/* The target: one connection; its error is the handshake's or the name's. */
static inline void *pair_serve(void *opaque)
{
    struct pair *pair = opaque;
    struct end *end = &pair->target;
    int fd = pair_accept_fd(pair);

    if (fd < 0) {
        end->result = error_set(&end->err, ERROR_SYSTEM, 0, "nobody came");
        return NULL;
    }
    end->result = conn_accept(fd, end->tls, &pair->options, &end->conn,
                              &end->err);
    if (end->result == 0)
        end->result = conn_check_peer(end->conn, &end->err);
    return NULL;
}

static inline void pair_start(struct pair *pair)
{
    assert_int_equal(pthread_create(&pair->thread, NULL, pair_serve, pair), 0);
}

static inline void pair_dial(struct pair *pair)
{
    struct end *end = &pair->source;

    end->result = conn_dial(&pair->addr, end->tls, &pair->options, &end->conn,
                            &end->err);
    if (end->result == 0)
        end->result = conn_check_peer(end->conn, &end->err);
}

static inline void pair_join(struct pair *pair)
{
    assert_int_equal(pthread_join(pair->thread, NULL), 0);
}

static inline void pair_init(struct pair *pair, enum conn_role role)
{
    *pair = (struct pair){
        .options = { .role = role,
                     .handshake_timeout_ms = 20000,
                     .dead_peer_ms = 5000 },
        .listener = -1,
    };
}

/* Two good ends, connected. */
static inline void pair_open(struct pair *pair, const struct pki *pki,
                             enum conn_role role, const char *host)
{
    pair_init(pair, role);
    pair_tls(pki, "target", "ca", true, &pair->target);
    pair_tls(pki, "source", "ca", false, &pair->source);
    pair_listen(pair, host);
    pair_start(pair);
    pair_dial(pair);
    pair_join(pair);
    if (pair->source.result < 0)
        fail_msg("source: %s", pair->source.err.text);
    if (pair->target.result < 0)
        fail_msg("target: %s", pair->target.err.text);
}

static inline void pair_close(struct pair *pair)
{
    conn_close(pair->source.conn);
    conn_close(pair->target.conn);
    tls_close(pair->source.tls);
    tls_close(pair->target.tls);
    if (pair->listener >= 0)
        close(pair->listener);
}

/* wanted: part of the end's error, or NULL for none. */
static inline void pair_check(const char *who, const struct end *end,
                              const char *wanted)
{
    if (!wanted) {
        if (end->result < 0)
            fail_msg("%s: %s", who, end->err.text);
        return;
    }
    if (end->result == 0)
        fail_msg("%s: passed, wanted \"%s\"", who, wanted);
    if (!strstr(end->err.text, wanted))
        fail_msg("%s: wanted \"%s\", got \"%s\"", who, wanted, end->err.text);
}

/*
 * Both ends shake hands; the source then asks for a byte, since in TLS 1.3 a
 * refused client learns of it when it first reads.
 */
static inline void pair_meet(struct pair *pair)
{
    char byte;

    pair_start(pair);
    pair_dial(pair);
    pair_join(pair);
    if (pair->target.result < 0 && pair->source.result == 0)
        pair->source.result = conn_recv(pair->source.conn, &byte, 1,
                                        &pair->source.err);
}

/* A certificate that tls_open() would not take. */
static inline void pair_swap_cert(const struct pki *pki, struct tls *tls,
                                  const char *name)
{
    assert_int_equal(SSL_CTX_use_certificate_chain_file(
                         tls->ctx, pki_path(pki, name, ".crt")),
                     1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls->ctx,
                                                 pki_path(pki, name, ".key"),
                                                 SSL_FILETYPE_PEM),
                     1);
}

#endif
