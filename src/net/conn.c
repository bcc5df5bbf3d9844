#include "net/conn.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/conn_private.h"
#include "net/tcp.h"

/* ---- errors ---- */

static const char *peer_word(const struct conn *conn)
{
    return tls_peer_word(conn->tls);
}

/* Explains the state of the socket. */
static int explain_errnum(const struct conn *conn, int errnum,
                          struct error *err)
{
    switch (errnum) {
    case ECONNRESET:
    case EPIPE:
        return error_set(err, ERROR_TEMPORARY, 0,
                         "connection lost: the %s closed it in mid-stream",
                         peer_word(conn));
    case ECANCELED: return error_set(err, ERROR_CANCELLED, 0, "stopped");
    case ETIMEDOUT:
        error_set(err, ERROR_TEMPORARY, 0,
                  "connection lost: no answer of the %s in time",
                  peer_word(conn));
        err->errnum = ETIMEDOUT;
        return -1;
    default: return error_set(err, ERROR_TEMPORARY, errnum, "connection lost");
    }
}

int conn_explain_read(const struct conn *conn, int ssl_error, struct error *err)
{
    if (atomic_load(&conn->is_shut))
        return error_set(err, ERROR_CANCELLED, 0, "connection was shut down");
    if (ssl_error == SSL_ERROR_ZERO_RETURN)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "connection lost: the %s closed it", peer_word(conn));
    if (tls_reason_explain(&conn->peer, conn->is_established, err))
        return -1;
    if (conn->bio.recv_errnum != 0)
        return explain_errnum(conn, conn->bio.recv_errnum, err);
    if (conn->bio.send_errnum != 0)
        return explain_errnum(conn, conn->bio.send_errnum, err);
    if (conn->is_established)
        return explain_errnum(conn, ECONNRESET, err);
    return error_set(err, ERROR_TEMPORARY, 0, "the %s closed the connection",
                     peer_word(conn));
}

/* ---- sending ---- */

/*
 * After a peer refused us, a failed send is often the first sign: its alert
 * waits in our receive queue.  SSL_peek() does not consume data, so a message
 * in which the peer gives the reason can still be received.
 */
static int explain_send(struct conn *conn, struct error *err)
{
    int errnum = conn->bio.send_errnum;
    char byte;
    int r;

    if (atomic_load(&conn->is_shut)) {
        error_set(err, ERROR_CANCELLED, 0, "connection was shut down");
    } else if (tls_reason_explain(&conn->peer, true, err)) {
        /* our own OpenSSL refused */
    } else {
        conn->bio.is_dontwait = true;
        r = SSL_peek(conn->ssl, &byte, 1);
        conn->bio.is_dontwait = false;
        if (r > 0 || !tls_reason_explain(&conn->peer, true, err))
            explain_errnum(conn, errnum, err);
        else
            conn->lost = *err;
    }
    ERR_clear_error();
    conn->unsent = *err;
    return -1;
}

/* May the connection still be written?  Returns -1 with err if not. */
static int check_sendable(const struct conn *conn, struct error *err)
{
    if (atomic_load(&conn->is_shut))
        return error_set(err, ERROR_CANCELLED, 0, "connection was shut down");
    if (conn->unsent.kind == ERROR_NONE)
        return 0;
    *err = conn->unsent;
    return -1;
}

/* Counts the records of len bytes, and starts the next record under a new key
 * when the current key has reached its limit. */
static void count_records(struct conn *conn, size_t len)
{
    conn->key_records += len / SSL3_RT_MAX_PLAIN_LENGTH + 1;
    if (conn->key_records < conn->tls->rekey_records ||
        SSL_version(conn->ssl) != TLS1_3_VERSION)
        return;
    if (SSL_key_update(conn->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        conn->key_records = 0;
}

int conn_send(struct conn *conn, const void *data, size_t len,
              struct error *err)
{
    size_t done;

    if (check_sendable(conn, err) < 0)
        return -1;
    if (len == 0)
        return 0;
    ERR_clear_error();
    count_records(conn, len);
    if (SSL_write_ex(conn->ssl, data, len, &done) == 1)
        return 0;
    return explain_send(conn, err);
}

int conn_flush(struct conn *conn, struct error *err)
{
    if (check_sendable(conn, err) < 0)
        return -1;
    ERR_clear_error();
    if (BIO_flush(SSL_get_wbio(conn->ssl)) == 1)
        return 0;
    return explain_send(conn, err);
}

/* ---- receiving ---- */

/* Calls SSL_read() once: at most one record.  Returns 0 only if
 * is_dontwait. */
static ssize_t receive(struct conn *conn, void *data, size_t len,
                       struct error *err)
{
    size_t n = 0;
    int r, ssl_error;

    r = SSL_read_ex(conn->ssl, data, len, &n);
    if (r == 1)
        return (ssize_t)n;
    ssl_error = SSL_get_error(conn->ssl, r);
    if (ssl_error == SSL_ERROR_WANT_READ && conn->bio.is_dontwait)
        return 0;
    conn_explain_read(conn, ssl_error, err);
    ERR_clear_error();
    conn->lost = *err;
    return -1;
}

/*
 * May the connection still be read?  Returns -1 with err if not.  Clears the
 * thread's error queue, which SSL_get_error() reads: once per call is enough,
 * as a successful record adds nothing to it.
 */
static int begin_receive(const struct conn *conn, struct error *err)
{
    if (atomic_load(&conn->is_shut))
        return error_set(err, ERROR_CANCELLED, 0, "connection was shut down");
    if (conn->lost.kind == ERROR_NONE) {
        ERR_clear_error();
        return 0;
    }
    *err = conn->lost;
    return -1;
}

int conn_recv_part(struct conn *conn, void *data, size_t len, size_t *done,
                   struct error *err)
{
    char *at = data;

    *done = 0;
    if (begin_receive(conn, err) < 0)
        return -1;
    while (*done < len) {
        ssize_t n = receive(conn, at + *done, len - *done, err);

        if (n < 0)
            return -1;
        *done += (size_t)n;
    }
    return 0;
}

int conn_recv(struct conn *conn, void *data, size_t len, struct error *err)
{
    size_t done;

    return conn_recv_part(conn, data, len, &done, err);
}

int conn_recv_some(struct conn *conn, void *data, size_t len, struct error *err)
{
    ssize_t n;

    if (begin_receive(conn, err) < 0)
        return -1;
    conn->bio.is_dontwait = true;
    n = receive(conn, data, len < INT_MAX ? len : INT_MAX, err);
    conn->bio.is_dontwait = false;
    return (int)n;
}

ssize_t conn_recv_any(struct conn *conn, void *data, size_t len,
                      struct error *err)
{
    return begin_receive(conn, err) < 0 ? -1 : receive(conn, data, len, err);
}

void conn_set_deadline(struct conn *conn, uint64_t deadline_ns)
{
    conn->bio.deadline_ns = deadline_ns;
}

void conn_set_stop(struct conn *conn, int stop_fd)
{
    conn->bio.stop_fd = stop_fd;
}

bool conn_is_late(const struct conn *conn)
{
    return conn->bio.recv_errnum == ETIMEDOUT;
}

/* ---- the rest ---- */

bool conn_is_http(const struct conn *conn)
{
    return conn->is_http;
}

void conn_shutdown(struct conn *conn)
{
    atomic_store(&conn->is_shut, true);
    (void)shutdown(conn->fd, SHUT_RDWR);
}

void conn_set_role(struct conn *conn, enum conn_role role,
                   unsigned dead_peer_ms)
{
    conn->role = role;
    tcp_set_role(conn->fd, role, dead_peer_ms);
    if (role == CONN_CONTROL)
        SSL_set_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
}

int conn_fd(const struct conn *conn)
{
    return conn->fd;
}

void conn_get_info(const struct conn *conn, struct conn_info *info)
{
    *info = (struct conn_info){
        .tls_version = SSL_get_version(conn->ssl),
        .cipher = SSL_get_cipher_name(conn->ssl),
        .peer = conn->peer_address,
        .peer_name = conn->peer_name,
    };
}

uint64_t conn_wire_sent(const struct conn *conn)
{
    return conn->bio.sent_bytes;
}

uint64_t conn_wire_received(const struct conn *conn)
{
    return conn->bio.received_bytes;
}

void conn_count_wire(struct conn *conn, _Atomic uint64_t *counter)
{
    atomic_fetch_add(counter, conn_wire_sent(conn) + conn_wire_received(conn));
    conn->bio.total_bytes = counter;
}

void conn_get_tcp(const struct conn *conn, struct tcp_state *state)
{
    tcp_state_read(conn->fd, state);
}

uint64_t conn_waited_ns(const struct conn *conn)
{
    return conn->bio.waited_ns;
}

void conn_linger(const struct conn *conn)
{
    uint64_t deadline_ns = clock_now_ns() + CONN_LINGER_NS;
    struct pollfd pfd = { .fd = conn->fd, .events = POLLIN };
    char discarded[4096];

    while (clock_now_ns() < deadline_ns) {
        int unsent = 0;
        ssize_t n = recv(conn->fd, discarded, sizeof(discarded), MSG_DONTWAIT);

        if (n > 0)
            continue;
        if (n == 0 || errno != EAGAIN)
            return;
        if (ioctl(conn->fd, SIOCOUTQ, &unsent) < 0 || unsent == 0)
            return;
        (void)poll(&pfd, 1, 2);
    }
}

void conn_hang_up(struct conn *conn, uint64_t deadline_ns)
{
    struct pollfd pfds[] = {
        { .fd = conn->fd, .events = POLLIN },
        { .fd = conn->bio.stop_fd > 0 ? conn->bio.stop_fd : -1,
          .events = POLLIN },
    };
    char discarded[65536];
    uint64_t now_ns;

    ERR_clear_error();
    conn->bio.deadline_ns = deadline_ns;
    (void)SSL_shutdown(conn->ssl);
    ERR_clear_error();
    (void)shutdown(conn->fd, SHUT_WR);
    while (!atomic_load(&conn->is_shut) &&
           (now_ns = clock_now_ns()) < deadline_ns) {
        ssize_t n = recv(conn->fd, discarded, sizeof(discarded), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            break;
        if (n < 0)
            (void)poll(pfds, 2,
                       (int)((deadline_ns - now_ns) / CLOCK_MS_NS) + 1);
        if (pfds[1].revents != 0)
            break;
    }
    conn_shutdown(conn);
}

/* Sends close_notify within a short time, or gives up. */
static void send_close_notify(struct conn *conn)
{
    ERR_clear_error();
    conn->bio.deadline_ns = clock_now_ns() + CONN_LINGER_NS;
    (void)SSL_shutdown(conn->ssl);
    ERR_clear_error();
    if (conn->role == CONN_CONTROL) /* the peer may be sending meanwhile */
        conn_linger(conn);
}

void conn_close(struct conn *conn)
{
    if (!conn)
        return;
    if (conn->is_established && !atomic_load(&conn->is_shut) &&
        conn->unsent.kind == ERROR_NONE && conn->lost.kind == ERROR_NONE)
        send_close_notify(conn);
    SSL_free(conn->ssl);
    socket_bio_fini(&conn->bio);
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn->wanted_name);
    tls_close(conn->tls);
    free(conn);
}
