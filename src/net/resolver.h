/*
 * resolver.h - resolves host names within a time limit.
 *
 * getaddrinfo(3) has no timeout and cannot be stopped; it waits 5 s for each
 * silent name server and try (resolv.conf(5)).  So it runs on its own thread,
 * which the caller abandons when it gives up.
 */
#ifndef CW_NET_RESOLVER_H
#define CW_NET_RESOLVER_H

#include <netdb.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"

/*
 * Like addr_resolve() for connecting, but ends at deadline_ns
 * (CLOCK_MONOTONIC) or when stop_fd is readable (0: none).  A literal address
 * needs no thread.  The caller owns *list (freeaddrinfo).
 *
 * ERROR_TEMPORARY: no such name, or no answer in time; ERROR_CANCELLED:
 * stop_fd; ERROR_SYSTEM.
 */
int resolver_find(const struct addr *addr, int stop_fd, uint64_t deadline_ns,
                  struct addrinfo **list, struct error *err);

#endif
