#include "net/local_addrs.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

static void auto_interfaces(struct ifaddrs **list)
{
    if (*list)
        freeifaddrs(*list);
}

static enum local_addrs_use use_of_ipv4(const struct sockaddr *sa)
{
    struct sockaddr_in in;
    uint32_t host;

    memcpy(&in, sa, sizeof(in));
    host = ntohl(in.sin_addr.s_addr);
    if (host >> 24 == IN_LOOPBACKNET)
        return LOCAL_ADDRS_LOOPBACK;
    /* 169.254/16 (RFC 3927): self-assigned without DHCP. */
    return host == INADDR_ANY || host >> 16 == 0xa9fe ? LOCAL_ADDRS_NONE
                                                      : LOCAL_ADDRS_IPV4;
}

static enum local_addrs_use use_of_ipv6(const struct sockaddr *sa)
{
    struct sockaddr_in6 in6;

    memcpy(&in6, sa, sizeof(in6));
    if (IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr))
        return LOCAL_ADDRS_LOOPBACK;
    if (IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) ||
        IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) ||
        IN6_IS_ADDR_MULTICAST(&in6.sin6_addr) ||
        IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        return LOCAL_ADDRS_NONE;
    return LOCAL_ADDRS_IPV6;
}

enum local_addrs_use local_addrs_use(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return use_of_ipv4(sa);
    return sa->sa_family == AF_INET6 ? use_of_ipv6(sa) : LOCAL_ADDRS_NONE;
}

static socklen_t size_of(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                    : sizeof(struct sockaddr_in6);
}

/* IPv4 and IPv6 have the port at the same place. */
static in_port_t port_of(const struct sockaddr *sa)
{
    struct sockaddr_in in;

    memcpy(&in, sa, sizeof(in));
    return in.sin_port;
}

static void put(struct sockaddr_storage *out, const struct sockaddr *sa,
                in_port_t port)
{
    struct sockaddr_in in;

    memset(out, 0, sizeof(*out));
    memcpy(out, sa, size_of(sa));
    memcpy(&in, out, sizeof(in));
    in.sin_port = port;
    memcpy(out, &in, sizeof(in));
}

static bool is_wildcard(const struct sockaddr *sa)
{
    struct sockaddr_in6 in6;
    struct sockaddr_in in;

    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        return in.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    memcpy(&in6, sa, sizeof(in6));
    return IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
}

static bool is_reached(const struct ifaddrs *one, const struct sockaddr *sa,
                       const char *device, enum local_addrs_use use)
{
    if (device && strcmp(one->ifa_name, device) != 0)
        return false;
    if (!one->ifa_addr || !(one->ifa_flags & IFF_UP))
        return false;
    /* A listener on 0.0.0.0 has no IPv6; one on [::] has both. */
    if (sa->sa_family == AF_INET && one->ifa_addr->sa_family != AF_INET)
        return false;
    return local_addrs_use(one->ifa_addr) == use;
}

int local_addrs_pick(const struct ifaddrs *interfaces,
                     const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max)
{
    unsigned n = 0;

    for (enum local_addrs_use use = LOCAL_ADDRS_IPV4; use < LOCAL_ADDRS_NONE;
         use++) {
        if (use == LOCAL_ADDRS_LOOPBACK && n > 0)
            break;
        for (const struct ifaddrs *i = interfaces; i && n < max;
             i = i->ifa_next)
            if (is_reached(i, sa, device, use))
                put(&list[n++], i->ifa_addr, port_of(sa));
    }
    return (int)n;
}

int local_addrs_list(const struct sockaddr *sa, const char *device,
                     struct sockaddr_storage *list, unsigned max,
                     struct error *err)
{
    AUTO(auto_interfaces) struct ifaddrs *interfaces = NULL;

    if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
        return 0;
    if (!is_wildcard(sa)) {
        put(list, sa, port_of(sa));
        return 1;
    }
    if (getifaddrs(&interfaces) < 0)
        return error_set(err, ERROR_SYSTEM, errno, "list the interfaces");
    return local_addrs_pick(interfaces, sa, device, list, max);
}
