#include "net/congestion.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Reads a line of names in /proc/sys/net/ipv4; "" if it cannot be read. */
static void read_names(const char *path, char *names, size_t size)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, names, size - 1);

    names[n > 0 ? n : 0] = '\0';
    names[strcspn(names, "\n")] = '\0';
}

static int refuse(const char *name, int errnum, struct error *err)
{
    char names[256];

    if (errnum == EPERM)
        read_names("/proc/sys/net/ipv4/tcp_allowed_congestion_control", names,
                   sizeof(names));
    else
        read_names("/proc/sys/net/ipv4/tcp_available_congestion_control", names,
                   sizeof(names));
    if (names[0] == '\0')
        return error_set(err, ERROR_USAGE, errnum,
                         "TCP congestion control \"%s\"", name);
    return error_set(
        err, ERROR_USAGE, errnum, "TCP congestion control \"%s\", where %s: %s",
        name, errnum == EPERM ? "everybody may use" : "there are", names);
}

int congestion_set(int fd, const char *name, struct error *err)
{
    if (!name || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
                            (socklen_t)strlen(name)) == 0)
        return 0;
    return refuse(name, errno, err);
}

int congestion_check(const char *name, struct error *err)
{
    AUTO_FD int fd = name ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    return fd < 0 ? 0 : congestion_set(fd, name, err);
}
