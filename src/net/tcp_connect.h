/* tcp_connect.h - from an address to a connected socket.  Private to net. */
#ifndef CW_NET_TCP_CONNECT_H
#define CW_NET_TCP_CONNECT_H

#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/conn.h"

/*
 * Resolves addr and connects to the address that answers first.  As in RFC
 * 8305, attempts run in parallel, alternating IPv6 and IPv4, each 250 ms after
 * the previous one, or at once if that has failed: so an address that does not
 * answer costs a quarter of a second.
 *
 * Sets *deadline_ns to the end of the handshake's time, from options.  Returns
 * an owned blocking socket or -1: ERROR_TEMPORARY, ERROR_CANCELLED by
 * options->stop_fd, or ERROR_USAGE if a requested option is not available.
 */
int tcp_connect(const struct addr *addr, const struct conn_options *options,
                uint64_t *deadline_ns, struct error *err);

#endif
