/* local_addrs.h - the addresses at which other machines reach this one. */
#ifndef CW_NET_LOCAL_ADDRS_H
#define CW_NET_LOCAL_ADDRS_H

#include <ifaddrs.h>
#include <sys/socket.h>

#include "base/error.h"

#define LOCAL_ADDRS_MAX 16U

/* Kinds of address, in the order of preference. */
enum local_addrs_use {
    LOCAL_ADDRS_IPV4,     /* public or private */
    LOCAL_ADDRS_IPV6,     /* global or unique local */
    LOCAL_ADDRS_LOOPBACK, /* this machine only */
    LOCAL_ADDRS_NONE,     /* not usable by others: link-local needs a zone */
};

/* The kind of address of sa. */
enum local_addrs_use local_addrs_use(const struct sockaddr *sa);

/*
 * Fills list with at most max addresses, port included, at which clients reach
 * a listener bound to sa (from getsockname()) and to device (NULL: none): sa
 * itself or, for the wildcard, those of all interfaces that are up; loopback
 * only if there is no other.  Returns their number; -1: ERROR_SYSTEM.
 */
int local_addrs_list(const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max,
                     struct error *err);

/* The same for given interfaces in the form of getifaddrs(3). */
int local_addrs_pick(const struct ifaddrs *interfaces,
                     const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max);

#endif
