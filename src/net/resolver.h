/*
 * resolver.h - host names to addresses, with a limit on time.
 *
 * getaddrinfo(3) can neither be given a timeout nor be stopped, and takes 5 s
 * for each silent name server and try (resolv.conf(5)).  So it runs on a
 * thread of its own, which is left to itself when the caller gives up.
 */
#ifndef CW_NET_RESOLVER_H
#define CW_NET_RESOLVER_H

#include <netdb.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"

/*
 * As addr_resolve() for dialing, until deadline_ns (CLOCK_MONOTONIC) at the
 * latest, or until stop_fd is readable (0: none).  A literal address takes no
 * thread.  *list is owned by the caller (freeaddrinfo).
 *
 * ERROR_TEMPORARY: no such name, or no answer in time; ERROR_CANCELLED:
 * stop_fd; ERROR_SYSTEM.
 */
int resolver_find(const struct addr *addr, int stop_fd, uint64_t deadline_ns,
                  struct addrinfo **list, struct error *err);

#endif
