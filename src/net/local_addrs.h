/* local_addrs.h - the addresses by which other machines reach this one. */
#ifndef CW_NET_LOCAL_ADDRS_H
#define CW_NET_LOCAL_ADDRS_H

#include <ifaddrs.h>
#include <sys/socket.h>

#include "base/error.h"

#define LOCAL_ADDRS_MAX 16U

/* How an address is called by others; in the order we would offer them. */
enum local_addrs_use {
    LOCAL_ADDRS_IPV4,     /* public or private */
    LOCAL_ADDRS_IPV6,     /* global or unique local */
    LOCAL_ADDRS_LOOPBACK, /* this machine alone */
    LOCAL_ADDRS_NONE,     /* nobody can paste it: link-local needs a zone */
};

/* Which of them sa is. */
enum local_addrs_use local_addrs_use(const struct sockaddr *sa);

/*
 * Fills list with at most max addresses at which a listener bound to sa (as
 * getsockname() tells it) and to device (NULL: to none) can be called, port
 * included: sa itself, or when that is the wildcard, those of the interfaces
 * that are up; loopback only where there is nothing else.  Returns how many;
 * -1: ERROR_SYSTEM.
 */
int local_addrs_list(const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max,
                     struct error *err);

/* The same with the interfaces given, as getifaddrs(3) does. */
int local_addrs_pick(const struct ifaddrs *interfaces,
                     const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max);

#endif
