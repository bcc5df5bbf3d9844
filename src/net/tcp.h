/* tcp.h - the TCP socket of a connection.  Private to net/conn*.c. */
#ifndef CW_NET_TCP_H
#define CW_NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/conn.h"

/* Sets up a socket that is accepted (of any family) or not yet connected.
 * Fails with ERROR_USAGE. */
int tcp_tune(int fd, const struct conn_options *options, struct error *err);

/* Returns 0 or -errno. */
int tcp_set_blocking(int fd, bool is_blocking);

/* Binds a socket to a network interface; NULL: any.  Returns 0, or -1 with
 * errno. */
int tcp_set_device(int fd, const char *device);

/* Sets keepalive and, for CONTROL, the limits on a silent peer (0 ms:
 * none). */
void tcp_set_role(int fd, enum conn_role role, unsigned dead_peer_ms);

#endif
