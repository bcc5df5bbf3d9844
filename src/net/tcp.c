#include "net/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/kernel_file.h"

enum {
    SOCKET_BUFFER_BYTES = 4 << 20,
    SILENT_SECONDS = 2 /* a client speaks first */
};

/* Best effort: a Unix socket has none of these options and still works. */
static void set_int(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* The maximum of the kernel's automatic TCP buffer sizing: the last of three
 * numbers in the file; 0 if it cannot be read. */
static unsigned long long own_sizing(const char *file)
{
    unsigned long long max = 0;
    char text[128], *at = text;

    if (!kernel_file_line(text, sizeof(text), "%s", file))
        return 0;
    for (unsigned i = 0; i < 3; i++)
        max = strtoull(at, &at, 10);
    return max;
}

/*
 * Requests a kernel buffer of 4 MiB.  A fixed size disables the kernel's
 * automatic sizing, which goes to 4 MiB (send) and 6 MiB (receive) by default,
 * while net.core.[rw]mem_max limits a fixed size to 208 KiB by default: on
 * such a machine a fixed size would slow down long links.  So try on another
 * socket first (the kernel reports twice what it grants, and counts its
 * automatic sizes in the same way).  Also keep automatic sizing if it is
 * configured to go further: on 1 Gbit/s and 100 ms it is then twice as fast.
 */
static void set_buffer(int fd, int name, const char *sizing)
{
    AUTO_FD int trial = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int granted = 0;
    socklen_t len = sizeof(granted);

    if (trial < 0 || own_sizing(sizing) > 2 * SOCKET_BUFFER_BYTES)
        return;
    set_int(trial, SOL_SOCKET, name, SOCKET_BUFFER_BYTES);
    if (getsockopt(trial, SOL_SOCKET, name, &granted, &len) == 0 &&
        granted >= 2 * SOCKET_BUFFER_BYTES)
        set_int(fd, SOL_SOCKET, name, SOCKET_BUFFER_BYTES);
}

static int seconds_of(unsigned ms)
{
    return ms < 1000 ? 1 : (int)(ms / 1000);
}

/*
 * Keepalive detects a dead peer on an idle connection, TCP_USER_TIMEOUT one
 * with data in flight.  The latter also ends a connection whose peer keeps its
 * window closed (tcp(7)), as a slow disk does: so it is for CONTROL only,
 * which both sides always read.
 */
void tcp_set_role(int fd, enum conn_role role, unsigned dead_peer_ms)
{
    unsigned ms = role == CONN_CONTROL ? dead_peer_ms : 0;
    struct timeval limit = { .tv_sec = (time_t)(ms / 1000),
                             .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
            ms > INT_MAX ? INT_MAX : (int)ms);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (ms == 0)
        return;
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds_of(ms / 3));
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds_of(ms / 6));
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

int tcp_set_blocking(int fd, bool is_blocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -errno;
    flags = is_blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* Since Linux 5.7 an ordinary user may set the device. */
int tcp_set_device(int fd, const char *device)
{
    return device ? setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
                               (socklen_t)strlen(device))
                  : 0;
}

static int no_congestion_control(const char *name, int errnum,
                                 struct error *err)
{
    char names[256];

    kernel_file_line(names, sizeof(names),
                     "/proc/sys/net/ipv4/tcp_%s_congestion_control",
                     errnum == EPERM ? "allowed" : "available");
    if (names[0] == '\0')
        return error_set(err, ERROR_USAGE, errnum,
                         "TCP congestion control \"%s\"", name);
    return error_set(
        err, ERROR_USAGE, errnum, "TCP congestion control \"%s\", where %s: %s",
        name, errnum == EPERM ? "every user may choose" : "there are", names);
}

static int set_congestion(int fd, const char *name, struct error *err)
{
    if (!name || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
                            (socklen_t)strlen(name)) == 0)
        return 0;
    return no_congestion_control(name, errno, err);
}

int conn_check_congestion(const char *name, struct error *err)
{
    AUTO_FD int fd = name ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    return fd < 0 ? 0 : set_congestion(fd, name, err);
}

int tcp_tune(int fd, const struct conn_options *options, struct error *err)
{
    int r = tcp_set_blocking(fd, true);

    if (r < 0)
        return error_set(err, ERROR_SYSTEM, -r, "set up connection");
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options->role == CONN_DATA) {
        set_buffer(fd, SO_SNDBUF, "/proc/sys/net/ipv4/tcp_wmem");
        set_buffer(fd, SO_RCVBUF, "/proc/sys/net/ipv4/tcp_rmem");
    }
    tcp_set_role(fd, options->role, options->dead_peer_ms);
    return set_congestion(fd, options->congestion, err);
}

/* ---- listening ---- */

static int listen_one(const struct addrinfo *ai, const char *device,
                      bool is_dual, struct error *err)
{
    AUTO_FD int fd = socket(ai->ai_family,
                            SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char text[ADDR_CHARS];

    addr_format(ai->ai_addr, ai->ai_addrlen, text, sizeof(text));
    if (fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "listen on %s", text);
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (ai->ai_family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual);
    if (tcp_set_device(fd, device) < 0)
        return error_set(err, ERROR_USAGE, errno, "listen through interface %s",
                         device);
    set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, SILENT_SECONDS);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        return error_set(err, ERROR_SYSTEM, errno, "listen on %s", text);
    return take_fd(&fd);
}

/* Listens on each address of the list; at least one must work. */
static int listen_list(const struct addr *addr, const char *device,
                       bool is_dual, int *fds, unsigned max, struct error *err)
{
    AUTO(auto_addrinfo) struct addrinfo *list = NULL;
    unsigned n = 0;
    struct error e;

    if (addr_resolve(addr, true, &list, err) < 0) {
        err->kind = ERROR_USAGE; /* not an address of this machine */
        return -1;
    }
    for (const struct addrinfo *ai = list; ai && n < max; ai = ai->ai_next) {
        int fd = listen_one(ai, device, is_dual, &e);

        if (fd >= 0) {
            fds[n++] = fd;
            continue;
        }
        if (ai->ai_next || n > 0)
            log_warn("%s", e.text);
        *err = e;
    }
    return n > 0 ? (int)n : -1;
}

int conn_listen(const struct addr *addr, const char *device, int *fds,
                unsigned max, struct error *err)
{
    bool is_any = addr->host[0] == '\0' || strcmp(addr->host, "::") == 0;
    struct addr any = *addr;
    int n;

    if (!is_any)
        return listen_list(addr, device, false, fds, max, err);

    memcpy(any.host, "::", sizeof("::"));
    n = listen_list(&any, device, true, fds, max, err);
    if (n > 0 || (err->errnum != EAFNOSUPPORT && err->errnum != EADDRNOTAVAIL))
        return n;
    memcpy(any.host, "0.0.0.0", sizeof("0.0.0.0"));
    return listen_list(&any, device, false, fds, max, err);
}
