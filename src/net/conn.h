/*
 * conn.h - an authenticated TLS connection over TCP.
 *
 * Sends are gathered to 256 KiB per send(2), and receives read up to 256 KiB
 * at a time: with TLS records of 16 KiB this gives 1.5 times the throughput of
 * OpenSSL's own socket BIO.  A connection belongs to one thread at a time,
 * except for conn_shutdown(), which any thread may call.
 */
#ifndef CW_NET_CONN_H
#define CW_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/tcp_state.h"
#include "tls/tls.h"

/*
 * How a connection handles silence.  CONTROL: TCP_USER_TIMEOUT and keepalive
 * turn a dead peer into an error within dead_peer_ms, since both sides always
 * read the connection.  DATA: no TCP_USER_TIMEOUT: a slow disk may keep the
 * window closed for any time, and that is not a failure.
 */
enum conn_role {
    CONN_CONTROL,
    CONN_DATA
};

struct conn;

struct conn_options {
    enum conn_role role;
    unsigned handshake_timeout_ms;
    unsigned dead_peer_ms;    /* CONN_CONTROL only */
    const char *congestion;   /* TCP_CONGESTION, or NULL: the system's */
    const char *bind_address; /* connect from this address; NULL: any */
    const char *bind_device;  /* connect through this interface; NULL: any */
    int stop_fd; /* readable: a handshake fails, ERROR_CANCELLED; 0: none */
    uint64_t
        deadline_ns; /* for connecting, name resolution included; 0: none */
    unsigned
        segment_bytes; /* TCP_MAXSEG when connecting; 0: as the path allows */
    /* Connect to the same address as this connection: a name may have several,
     * and the peer of a session has one of them.  NULL: resolve. */
    const struct conn *beside;
};

/*
 * Opens listening sockets: one per address family that works ([::] dual-stack
 * if the host part is empty or "::", 0.0.0.0 without IPv6); unless device is
 * NULL, they accept connections through that interface only.  Fills fds with
 * at most max owned, non-blocking descriptors: a client may disconnect before
 * accept(2).  Returns their number, or -1 (ERROR_SYSTEM, ERROR_USAGE).
 */
int conn_listen(const struct addr *addr, const char *device, int *fds,
                unsigned max, struct error *err);

/* Would this kernel accept options.congestion (NULL: yes)?  ERROR_USAGE lists
 * the names that it, or an ordinary user, may choose.  Allows an error before
 * any wait for a peer. */
int conn_check_congestion(const char *name, struct error *err);

/*
 * Connects to the address that answers first and performs the handshake as a
 * client.  Verifies the server's chain; conn_check_peer() verifies its name.
 * Both steps together take at most handshake_timeout_ms and, with the name
 * resolution before them, end at deadline_ns.
 *
 * ERROR_TEMPORARY: no answer, refused, timed out (worth a retry); ERROR_TLS:
 * the handshake failed; the message gives the reason; ERROR_USAGE: the
 * requested congestion control is not available.
 *
 * In TLS 1.3 the server checks our certificate after our handshake is
 * complete: its refusal is the error of the first conn_recv() or of a send.
 */
int conn_dial(const struct addr *addr, struct tls *tls,
              const struct conn_options *options, struct conn **conn,
              struct error *err);

/*
 * Takes over the accepted socket fd (moved, also on failure) and performs the
 * handshake as a server.  Verifies the peer's chain; conn_check_peer()
 * verifies its name, so that the peer can receive an error message.
 */
int conn_accept(int fd, struct tls *tls, const struct conn_options *options,
                struct conn **conn, struct error *err);

/*
 * Did the peer show a certificate with the name that tls_options requires? (A
 * PSK peer passes: its key is its name.)  ERROR_TLS: "name mismatch: wanted X,
 * certificate has Y".  Both ends call it before they trust any data.
 */
int conn_check_peer(const struct conn *conn, struct error *err);

/* Was HTTP/1.1 agreed instead of TLS_ALPN?  Only with tls_options.http. */
bool conn_is_http(const struct conn *conn);

/* Queues len bytes, sent once 256 KiB have gathered or by conn_flush(). */
int conn_send(struct conn *conn, const void *data, size_t len,
              struct error *err);
int conn_flush(struct conn *conn, struct error *err);

/*
 * Receives exactly len bytes, blocking.  If the connection ends before the
 * last of them: ERROR_TEMPORARY; a TLS alert from the peer is ERROR_TLS, with
 * an explanation of the alert.
 */
int conn_recv(struct conn *conn, void *data, size_t len, struct error *err);

/* The same; *done: the number of bytes received, also on failure. */
int conn_recv_part(struct conn *conn, void *data, size_t len, size_t *done,
                   struct error *err);

/*
 * Receives available bytes, at most len, without blocking.  Returns 0 if there
 * are none (poll conn_fd() for POLLIN), -1 as conn_recv().  Call it until it
 * returns 0 before polling: bytes may be in our own buffer.
 */
int conn_recv_some(struct conn *conn, void *data, size_t len,
                   struct error *err);

/*
 * Receives at least one byte and at most len, blocking.  Returns the number,
 * or -1 as conn_recv(), also at the end of the connection.
 */
ssize_t conn_recv_any(struct conn *conn, void *data, size_t len,
                      struct error *err);

/*
 * From now on, blocking calls fail at deadline_ns (clock_now_ns()) as a lost
 * connection (ERROR_TEMPORARY); 0: they wait forever.  A send is still
 * possible after a receive that timed out.
 */
void conn_set_deadline(struct conn *conn, uint64_t deadline_ns);

/* When stop_fd is readable, waits with a deadline fail with ERROR_CANCELLED;
 * 0: none.  Borrowed. */
void conn_set_stop(struct conn *conn, int stop_fd);

/* Has a receive exceeded that deadline? */
bool conn_is_late(const struct conn *conn);

/*
 * Sends the end of our data and waits until the peer ends too, at most until
 * deadline_ns; discards what the peer still sends.  An answer thus arrives
 * even if the peer is still sending: an immediate close would reset the
 * connection.
 */
void conn_hang_up(struct conn *conn, uint64_t deadline_ns);

/* Wakes every thread that blocks on conn; every later call fails with
 * ERROR_CANCELLED.  Any thread. */
void conn_shutdown(struct conn *conn);

int conn_fd(const struct conn *conn);

/*
 * Changes how an established connection handles silence: a target learns the
 * purpose of a connection only from its first message.
 */
void conn_set_role(struct conn *conn, enum conn_role role,
                   unsigned dead_peer_ms);

struct conn_info {
    const char *tls_version; /* "TLSv1.3"; valid while conn is */
    const char *cipher;      /* "TLS_AES_128_GCM_SHA256" */
    const char *peer;        /* "10.0.0.7:41234" */
    const char *peer_name;   /* certificate name or PSK identity */
};

void conn_get_info(const struct conn *conn, struct conn_info *info);

/* Bytes sent on the wire so far, TLS included.  Any thread, while conn is
 * open. */
uint64_t conn_wire_sent(const struct conn *conn);
uint64_t conn_wire_received(const struct conn *conn);

/*
 * Adds to counter what conn has sent and received, and from now on each byte
 * as it passes.  counter outlives conn.  Called by the thread that uses conn,
 * at most once.
 */
void conn_count_wire(struct conn *conn, _Atomic uint64_t *counter);

/* TCP's state of the data that we send.  Any thread, while conn is open. */
void conn_get_tcp(const struct conn *conn, struct tcp_state *state);

/* Time in send(2) and recv(2) so far: waiting, and the kernel's copying. */
uint64_t conn_waited_ns(const struct conn *conn);

/*
 * Sends close_notify if the connection still works, then frees conn.  On
 * CONTROL it waits until the peer's kernel has everything we sent, at most a
 * second.  Accepts NULL.  The caller must have flushed what conn_send()
 * queued.
 */
void conn_close(struct conn *conn);

#endif
