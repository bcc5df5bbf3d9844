/* tcp_connect.h - from an address to a connected socket.  Private to net. */
#ifndef CW_NET_TCP_CONNECT_H
#define CW_NET_TCP_CONNECT_H

#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/conn.h"

/*
 * Finds the addresses of addr and connects to the one that answers first.  As
 * RFC 8305 has it, they are tried side by side, IPv6 and IPv4 in turn, each
 * 250 ms after the one before, or at once when that has failed: so an address
 * that does not answer costs a quarter of a second.
 *
 * *deadline_ns is set to when a handshake is to be over, by options.  Returns
 * an owned blocking socket or -1: ERROR_TEMPORARY, ERROR_CANCELLED by
 * options->stop_fd, or ERROR_USAGE where what was asked for is not to be had.
 */
int tcp_connect(const struct addr *addr, const struct conn_options *options,
                uint64_t *deadline_ns, struct error *err);

#endif
