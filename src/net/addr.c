#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"

static int bad(const char *text, const char *why, struct error *err)
{
    return error_set(err, ERROR_USAGE, 0, "address \"%s\": %s", text, why);
}

/* Is host an IPv6 literal, with or without a zone ("fe80::1%eth0")? */
static bool is_ipv6(const char *host)
{
    char bare[INET6_ADDRSTRLEN];
    size_t len = strcspn(host, "%");
    struct in6_addr in6;

    if (len >= sizeof(bare))
        return false;
    memcpy(bare, host, len);
    bare[len] = '\0';
    return inet_pton(AF_INET6, bare, &in6) == 1;
}

static int set_port(const char *text, const char *port, struct addr *addr,
                    struct error *err)
{
    uint64_t number;

    if (!parse_count(port, &number) || number > UINT16_MAX)
        return bad(text, "the port is not a number from 0 to 65535", err);
    snprintf(addr->port, sizeof(addr->port), "%u", (unsigned)number);
    return 0;
}

static int set_host(const char *text, const char *host, size_t len,
                    struct addr *addr, struct error *err)
{
    if (len >= sizeof(addr->host))
        return bad(text, "the host name is too long", err);
    memcpy(addr->host, host, len);
    addr->host[len] = '\0';
    if (strpbrk(addr->host, " \t\r\n/[]@"))
        return bad(text, "not a host name", err);
    return 0;
}

/* "[::1]" or "[::1]:port". */
static int parse_bracketed(const char *text, struct addr *addr,
                           struct error *err)
{
    const char *end = strchr(text, ']');

    if (!end)
        return bad(text, "\"[\" without \"]\"", err);
    if (set_host(text, text + 1, (size_t)(end - text - 1), addr, err) < 0)
        return -1;
    if (!is_ipv6(addr->host))
        return bad(text, "not an IPv6 address in brackets", err);
    if (end[1] == '\0')
        return 0;
    if (end[1] != ':')
        return bad(text, "expected \":PORT\" after \"]\"", err);
    return set_port(text, end + 2, addr, err);
}

int addr_parse(const char *text, struct addr *addr, struct error *err)
{
    const char *colon = strchr(text, ':');

    *addr = (struct addr){ .port = ADDR_DEFAULT_PORT };
    if (*text == '\0')
        return bad(text, "is empty", err);
    if (*text == '[')
        return parse_bracketed(text, addr, err);
    if (!colon && text[strspn(text, "0123456789")] == '\0')
        return set_port(text, text, addr, err);
    if (!colon)
        return set_host(text, text, strlen(text), addr, err);

    if (strchr(colon + 1, ':')) {
        if (!is_ipv6(text))
            return bad(text, "more than one \":\" (IPv6: [ADDRESS]:PORT)", err);
        return set_host(text, text, strlen(text), addr, err);
    }
    if (set_host(text, text, (size_t)(colon - text), addr, err) < 0)
        return -1;
    return set_port(text, colon + 1, addr, err);
}

bool addr_is_literal(const struct addr *addr)
{
    struct in_addr in;

    return addr->host[0] == '\0' || inet_aton(addr->host, &in) != 0 ||
           is_ipv6(addr->host);
}

int addr_resolve(const struct addr *addr, bool passive, struct addrinfo **list,
                 struct error *err)
{
    /* No AI_ADDRCONFIG: it drops ::1 on a machine whose only IPv6 is on lo. */
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0),
    };
    const char *host = addr->host[0] == '\0' ? NULL : addr->host;
    int r = getaddrinfo(host, addr->port, &hints, list);

    if (r == 0)
        return 0;
    *list = NULL;
    if (r == EAI_SYSTEM)
        return error_set(err, ERROR_TEMPORARY, errno, "resolve %s", addr->host);
    return error_set(err, ERROR_TEMPORARY, 0, "resolve %s: %s", addr->host,
                     gai_strerror(r));
}

/* A dual-stack listener reports an IPv4 peer as ::ffff:1.2.3.4; users do not
 * know it by that name. */
static bool unmap(const struct sockaddr *sa, socklen_t sa_len,
                  struct sockaddr_in *in)
{
    struct sockaddr_in6 in6;

    if (sa->sa_family != AF_INET6 || sa_len < sizeof(in6))
        return false;
    memcpy(&in6, sa, sizeof(in6));
    if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        return false;
    *in = (struct sockaddr_in){ .sin_family = AF_INET,
                                .sin_port = in6.sin6_port };
    memcpy(&in->sin_addr, in6.sin6_addr.s6_addr + 12, sizeof(in->sin_addr));
    return true;
}

const char *addr_format(const struct sockaddr *sa, socklen_t sa_len, char *buf,
                        size_t len)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct sockaddr_in in;

    if (unmap(sa, sa_len, &in)) {
        sa = (const struct sockaddr *)&in;
        sa_len = sizeof(in);
    }
    if ((sa->sa_family != AF_INET && sa->sa_family != AF_INET6) ||
        getnameinfo(sa, sa_len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(buf, len, "%s", "local socket");
    else if (sa->sa_family == AF_INET6)
        snprintf(buf, len, "[%s]:%s", host, port);
    else
        snprintf(buf, len, "%s:%s", host, port);
    return buf;
}

int addr_format_own(int fd, char buf[ADDR_CHARS])
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    addr_format((struct sockaddr *)&sa, len, buf, ADDR_CHARS);
    return 0;
}
