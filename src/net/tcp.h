/* tcp.h - the TCP under a connection.  Private to net/conn*.c. */
#ifndef CW_NET_TCP_H
#define CW_NET_TCP_H

#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/conn.h"

/*
 * Connects to the first of addr's addresses that answers before deadline_ns.
 * Returns an owned blocking socket or -1: ERROR_TEMPORARY, or ERROR_USAGE
 * where the congestion control asked for is not to be had.
 */
int tcp_connect(const struct addr *addr, const struct conn_options *options,
                uint64_t deadline_ns, struct error *err);

/* Sets up an accepted socket, which may be of any family.  ERROR_USAGE. */
int tcp_tune(int fd, const struct conn_options *options, struct error *err);

/* Keepalive, and for CONTROL the limits on a silent peer (0 ms: none). */
void tcp_set_role(int fd, enum conn_role role, unsigned dead_peer_ms);

#endif
