/*
 * addr.h - parses and resolves "HOST:PORT", "[v6]:PORT", "HOST", "PORT".
 */
#ifndef CW_NET_ADDR_H
#define CW_NET_ADDR_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ADDR_DEFAULT_PORT "8443"
#define ADDR_CHARS        80U /* fits what addr_format() writes */

struct addr {
    char host[256]; /* without brackets; "" = every local address */
    char port[8];   /* decimal, 1..65535 (0: listen on any port) */
};

/*
 * Parses "host:port", "host", "1.2.3.4:port", "[::1]:port", "::1", ":port".
 * Fails with ERROR_USAGE.
 */
int addr_parse(const char *text, struct addr *addr, struct error *err);

/* Is the host an IPv4 or IPv6 address or "", as opposed to a name? */
bool addr_is_literal(const struct addr *addr);

/*
 * Resolves to a getaddrinfo(3) list, owned by the caller (freeaddrinfo), in
 * the resolver's order; passive: for bind(2).  Fails with ERROR_TEMPORARY: a
 * name that does not exist yet may exist soon.
 */
int addr_resolve(const struct addr *addr, bool passive, struct addrinfo **list,
                 struct error *err);

/* For AUTO(): frees a list of addr_resolve(); accepts NULL. */
static inline void auto_addrinfo(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

/* Formats the address that socket fd is bound to.  Returns 0 or -errno. */
int addr_format_own(int fd, char buf[ADDR_CHARS]);

/* Formats "1.2.3.4:5" or "[::1]:5".  Returns buf. */
const char *addr_format(const struct sockaddr *sa, socklen_t sa_len, char *buf,
                        size_t len);

#endif
