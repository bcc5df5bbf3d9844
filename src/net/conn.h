/*
 * conn.h - one authenticated TLS connection over TCP.
 *
 * Sends are gathered to 256 KiB per send(2) and receives taken 256 KiB at a
 * time: with TLS records of 16 KiB that is 1.5 times the throughput of
 * OpenSSL's own socket BIO.  A connection belongs to one thread at a time,
 * but for conn_shutdown(), which any thread may call.
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
 * How a connection lives with silence.  CONTROL: TCP_USER_TIMEOUT and
 * keepalive make a dead peer an error within dead_peer_ms, since both sides
 * always read it.  DATA: no TCP_USER_TIMEOUT: a slow disk closes the window
 * for as long as it likes, and that is not a failure.
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
    const char *bind_address; /* dial from this address; NULL: any */
    const char *bind_device;  /* dial through this interface; NULL: any */
    int stop_fd; /* readable: a handshake gives up, ERROR_CANCELLED; 0: none */
    uint64_t deadline_ns;   /* for dialing, name resolution included; 0: none */
    unsigned segment_bytes; /* TCP_MAXSEG when dialing; 0: as the path says */
    /* Dial the very address that this one reached: a name may have several,
     * and the peer of a session is one of them.  NULL: resolve. */
    const struct conn *beside;
};

/*
 * Listening sockets: one per address family that works ([::] dual-stack
 * where the host part is empty or "::", 0.0.0.0 where there is no IPv6), for
 * callers through the interface device alone unless that is NULL.
 * fds is filled with at most max owned descriptors, which do not block: a
 * client may be gone before accept(2).  Returns how many, or -1
 * (ERROR_SYSTEM, ERROR_USAGE).
 */
int conn_listen(const struct addr *addr, const char *device, int *fds,
                unsigned max, struct error *err);

/*
 * Connects to the address that answers first and shakes hands as a client.
 * The server's chain is verified, its name by conn_check_peer().  Both steps
 * together take handshake_timeout_ms at most, and with the resolving of the
 * name before them they end at deadline_ns.
 *
 * ERROR_TEMPORARY: nobody there, refused, timed out (worth a retry);
 * ERROR_TLS: the handshake failed; the text names the reason in words;
 * ERROR_USAGE: the congestion control asked for is not to be had.
 *
 * In TLS 1.3 the server looks at our certificate after our handshake is
 * done: its refusal is the error of the first conn_recv() or of a send.
 */
int conn_dial(const struct addr *addr, struct tls *tls,
              const struct conn_options *options, struct conn **conn,
              struct error *err);

/*
 * Takes over accepted socket fd (moved, also on failure) and shakes hands as
 * a server.  The peer's chain is verified; its name is checked by
 * conn_check_peer(), so that the peer can be told.
 */
int conn_accept(int fd, struct tls *tls, const struct conn_options *options,
                struct conn **conn, struct error *err);

/*
 * Did the peer show a certificate, and does that carry the name tls_options
 * said?  (A PSK peer passes: its key is its name.)  ERROR_TLS: "name
 * mismatch: wanted X, certificate has Y".  Both ends call it before anything
 * is believed.
 */
int conn_check_peer(const struct conn *conn, struct error *err);

/* Was HTTP/1.1 agreed, and not TLS_ALPN?  Only where tls_options.http. */
bool conn_is_http(const struct conn *conn);

/*
 * Server: is name, to the letter, the common name of the certificate that
 * the peer has shown?  ERROR_TLS says what it has instead.
 */
int conn_check_common_name(const struct conn *conn, const char *name,
                           struct error *err);

/* Queues len bytes; sent when 256 KiB have gathered, or by conn_flush(). */
int conn_send(struct conn *conn, const void *data, size_t len,
              struct error *err);
int conn_flush(struct conn *conn, struct error *err);

/*
 * Receives exactly len bytes, blocking.  A connection that ends inside or
 * before them is ERROR_TEMPORARY; a TLS alert of the peer is ERROR_TLS and
 * says in words what the peer did not like.
 */
int conn_recv(struct conn *conn, void *data, size_t len, struct error *err);

/* The same; *done: how much has come, also where it fails. */
int conn_recv_part(struct conn *conn, void *data, size_t len, size_t *done,
                   struct error *err);

/*
 * Receives what is there, at most len bytes, without blocking.  0: nothing
 * now (poll conn_fd() for POLLIN); -1: as conn_recv().  Call until it
 * returns 0 before polling: bytes may wait in our own buffer.
 */
int conn_recv_some(struct conn *conn, void *data, size_t len,
                   struct error *err);

/*
 * Receives at least one byte and at most len, blocking.  Returns how many, or
 * -1 as conn_recv(): also for the end of the connection.
 */
ssize_t conn_recv_any(struct conn *conn, void *data, size_t len,
                      struct error *err);

/*
 * From now on what blocks fails at deadline_ns (clock_now_ns()) as a lost
 * connection (ERROR_TEMPORARY); 0: it waits for ever.  A send can still
 * follow a receive that came too late.
 */
void conn_set_deadline(struct conn *conn, uint64_t deadline_ns);

/* Readable: what waits with a deadline fails with ERROR_CANCELLED; 0: it
 * does not.  Borrowed. */
void conn_set_stop(struct conn *conn, int stop_fd);

/* Has a receive come too late for that? */
bool conn_is_late(const struct conn *conn);

/*
 * Says that nothing more will come, and waits until the peer ends too, at
 * most until deadline_ns; what it still sends is thrown away.  So an answer
 * gets there even if the peer is still talking: closing at once would reset
 * the connection under it.
 */
void conn_hang_up(struct conn *conn, uint64_t deadline_ns);

/* Wakes whoever blocks on it; every later call fails with ERROR_CANCELLED.
 * From any thread. */
void conn_shutdown(struct conn *conn);

int conn_fd(const struct conn *conn);

/*
 * Changes how an established connection lives with silence: a target knows
 * only from the first message what a connection is for.
 */
void conn_set_role(struct conn *conn, enum conn_role role,
                   unsigned dead_peer_ms);

struct conn_info {
    const char *tls_version; /* "TLSv1.3"; valid while conn is */
    const char *cipher;      /* "TLS_AES_128_GCM_SHA256" */
    const char *peer;        /* "10.0.0.7:41234" */
    const char *peer_name;   /* name in its certificate, or PSK identity */
};

void conn_get_info(const struct conn *conn, struct conn_info *info);

/* Bytes on the wire so far, TLS included.  Any thread, while conn is open. */
uint64_t conn_wire_sent(const struct conn *conn);
uint64_t conn_wire_received(const struct conn *conn);

/* Any thread, while conn is open: what TCP knows of the data we send. */
void conn_get_tcp(const struct conn *conn, struct tcp_state *state);

/* Time spent in send(2) and recv(2) so far: waiting, and the kernel's copy. */
uint64_t conn_waited_ns(const struct conn *conn);

/*
 * Sends close_notify if the connection still works, then frees.  On CONTROL
 * it waits until the peer's kernel has all we sent; never longer than a
 * second.  Tolerates NULL.  What conn_send() queued must have been flushed.
 */
void conn_close(struct conn *conn);

#endif
