#include "net/tcp_connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/conn_private.h"
#include "net/resolver.h"
#include "net/tcp.h"

/* RFC 8305, 5: the recommended Connection Attempt Delay. */
#define ATTEMPT_DELAY_NS (250 * CLOCK_MS_NS)

enum {
    ADDRESSES_MAX = 32 /* per name; more than any service has */
};

/* A connect(2) in progress. */
struct attempt {
    int fd; /* owned; -1: it has failed */
    const struct addrinfo *ai;
};

struct race {
    const struct conn_options *options;
    const struct addrinfo *order[ADDRESSES_MAX];
    unsigned count;                         /* number of addresses */
    struct attempt attempts[ADDRESSES_MAX]; /* in the same order */
    unsigned started, pending;
    uint64_t next_ns;     /* when to start the next */
    struct error failure; /* the most informative; ERROR_NONE: none yet */
};

static void race_close(const struct race *race)
{
    for (unsigned i = 0; i < race->started; i++)
        if (race->attempts[i].fd >= 0)
            close(race->attempts[i].fd);
}

/* Returns the first entry, from ai on, that is (or is not) of the family. */
static const struct addrinfo *next_of(const struct addrinfo *ai, int family,
                                      bool is_of)
{
    while (ai && (ai->ai_family == family) != is_of)
        ai = ai->ai_next;
    return ai;
}

/* Keeps the resolver's order, but alternates families, its first one first. */
static void interleave(struct race *race, const struct addrinfo *list)
{
    int family = list->ai_family;
    const struct addrinfo *same = list, *other = next_of(list, family, false);

    while (race->count < ADDRESSES_MAX && (same || other)) {
        bool takes_same = !other || (same && race->count % 2 == 0);
        const struct addrinfo **from = takes_same ? &same : &other;

        race->order[race->count++] = *from;
        *from = next_of((*from)->ai_next, family, takes_same);
    }
}

/* A family that this machine cannot route says nothing about the target. */
static bool is_telling(const struct error *err)
{
    return err->errnum != ENETUNREACH && err->errnum != EADDRNOTAVAIL &&
           err->errnum != EAFNOSUPPORT;
}

/* Keeps err if it is more informative; the next attempt may then start. */
static void note_failure(struct race *race, const struct error *err)
{
    log_debug("%s", err->text);
    race->next_ns = 0;
    if (race->failure.kind == ERROR_NONE ||
        (is_telling(err) && !is_telling(&race->failure)))
        race->failure = *err;
}

static void fail_attempt(struct race *race, struct attempt *attempt, int errnum)
{
    char text[ADDR_CHARS];
    struct error err;

    error_set(&err, ERROR_TEMPORARY, errnum, "connect to %s",
              addr_format(attempt->ai->ai_addr, attempt->ai->ai_addrlen, text,
                          sizeof(text)));
    note_failure(race, &err);
    close(take_fd(&attempt->fd));
    race->pending--;
}

/*
 * Binds a socket to its source address and device.  A source address of the
 * other family only rules out this address of the target.
 */
static int bind_here(int fd, int family, const struct conn_options *options,
                     struct error *err)
{
    struct addrinfo hints = { .ai_family = family,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_PASSIVE };
    AUTO(auto_addrinfo) struct addrinfo *list = NULL;
    const char *device = options->bind_device;
    const char *address = options->bind_address;

    if (tcp_set_device(fd, device) < 0)
        return error_set(err, ERROR_USAGE, errno, "dial through interface %s",
                         device);
    if (!address)
        return 0;
    if (getaddrinfo(address, NULL, &hints, &list) != 0) {
        list = NULL;
        return error_set(err, ERROR_USAGE, EAFNOSUPPORT,
                         "dial from %s: not an IPv%c address", address,
                         family == AF_INET ? '4' : '6');
    }
    if (bind(fd, list->ai_addr, list->ai_addrlen) < 0)
        return error_set(err, ERROR_USAGE, errno, "dial from %s", address);
    return 0;
}

/* The requested size, or that of the connection in options->beside. */
static unsigned segment_bytes(const struct conn_options *options)
{
    if (options->segment_bytes > 0 || !options->beside)
        return options->segment_bytes;
    return options->beside->segment_bytes;
}

/* Returns an owned non-blocking socket, set up by options, or -1. */
static int make_socket(const struct addrinfo *ai,
                       const struct conn_options *options, struct error *err)
{
    AUTO_FD int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int mss = (int)segment_bytes(options), r;

    if (fd < 0)
        return error_set(err, ERROR_TEMPORARY, errno, "make a socket");
    /* Before connect(2): the SYN carries window scale and MSS. */
    if (tcp_tune(fd, options, err) < 0 ||
        bind_here(fd, ai->ai_family, options, err) < 0)
        return -1;
    if (mss > 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
    r = tcp_set_blocking(fd, false);
    if (r < 0)
        return error_set(err, ERROR_SYSTEM, -r, "set up connection");
    return take_fd(&fd);
}

/* Starts the next attempt. */
static void start_next(struct race *race)
{
    struct attempt *attempt = &race->attempts[race->started];
    struct error err;

    attempt->ai = race->order[race->started++];
    race->next_ns = clock_now_ns() + ATTEMPT_DELAY_NS;
    attempt->fd = make_socket(attempt->ai, race->options, &err);
    if (attempt->fd < 0) {
        note_failure(race, &err);
        return;
    }
    race->pending++;
    if (connect(attempt->fd, attempt->ai->ai_addr, attempt->ai->ai_addrlen) <
            0 &&
        errno != EINPROGRESS)
        fail_attempt(race, attempt, errno);
}

/* If the attempt has succeeded, returns its socket, now owned by the caller;
 * else -1. */
static int take_connected(struct race *race, struct attempt *attempt)
{
    int errnum = 0;
    socklen_t len = sizeof(errnum);

    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
        errnum = errno;
    if (errnum == 0)
        errnum = -tcp_set_blocking(attempt->fd, true);
    if (errnum == 0)
        return take_fd(&attempt->fd);
    fail_attempt(race, attempt, errnum);
    return -1;
}

/* Waits for an attempt to end, for the next start, or for the deadline.
 * Returns a connected socket; -1: none yet; -2: stopped. */
static int wait_for_one(struct race *race, uint64_t deadline_ns)
{
    bool has_next = race->started < race->count;
    uint64_t until_ns = has_next && race->next_ns < deadline_ns ? race->next_ns
                                                                : deadline_ns;
    struct pollfd fds[ADDRESSES_MAX + 1];
    int stop_fd = race->options->stop_fd;

    for (unsigned i = 0; i < race->started; i++)
        fds[i] = (struct pollfd){ .fd = race->attempts[i].fd,
                                  .events = POLLOUT };
    fds[race->started] = (struct pollfd){ .fd = stop_fd > 0 ? stop_fd : -1,
                                          .events = POLLIN };
    if (poll(fds, race->started + 1, clock_until_ms(until_ns)) <= 0)
        return -1;
    if (fds[race->started].revents != 0)
        return -2;
    for (unsigned i = 0; i < race->started; i++) {
        int fd = fds[i].fd >= 0 && fds[i].revents != 0
                     ? take_connected(race, &race->attempts[i])
                     : -1;

        if (fd >= 0)
            return fd;
    }
    return -1;
}

static void time_out(struct race *race)
{
    for (unsigned i = 0; i < race->started; i++)
        if (race->attempts[i].fd >= 0)
            fail_attempt(race, &race->attempts[i], ETIMEDOUT);
}

static int run(struct race *race, uint64_t deadline_ns, struct error *err)
{
    int fd;

    while (race->pending > 0 || race->started < race->count) {
        uint64_t now_ns = clock_now_ns();

        if (race->started < race->count &&
            (race->pending == 0 || now_ns >= race->next_ns)) {
            start_next(race);
            continue;
        }
        if (now_ns >= deadline_ns) {
            time_out(race);
            break;
        }
        fd = wait_for_one(race, deadline_ns);
        if (fd >= 0)
            return fd;
        if (fd == -2)
            return error_set(err, ERROR_CANCELLED, 0, "connect: stopped");
    }
    *err = race->failure;
    return -1;
}

/* Finds the peer address of the connection in options->beside. */
static int find_beside(const struct conn *beside, struct sockaddr_storage *sa,
                       struct addrinfo *ai, struct error *err)
{
    socklen_t len = sizeof(*sa);

    if (getpeername(conn_fd(beside), (struct sockaddr *)sa, &len) < 0)
        return error_set(err, ERROR_TEMPORARY, errno, "connect once more");
    *ai = (struct addrinfo){ .ai_family = sa->ss_family,
                             .ai_addr = (struct sockaddr *)sa,
                             .ai_addrlen = len };
    return 0;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns != 0 && a_ns < b_ns ? a_ns : b_ns;
}

int tcp_connect(const struct addr *addr, const struct conn_options *options,
                uint64_t *deadline_ns, struct error *err)
{
    uint64_t timeout_ns = options->handshake_timeout_ms * CLOCK_MS_NS;
    AUTO(auto_addrinfo) struct addrinfo *list = NULL;
    struct race race = { .options = options };
    struct sockaddr_storage sa;
    struct addrinfo known = { 0 };
    int fd;

    if (options->beside) {
        if (find_beside(options->beside, &sa, &known, err) < 0)
            return -1;
    } else if (resolver_find(addr, options->stop_fd,
                             options->deadline_ns ? options->deadline_ns
                                                  : clock_now_ns() + timeout_ns,
                             &list, err) < 0) {
        return -1;
    }
    *deadline_ns = earlier(options->deadline_ns, clock_now_ns() + timeout_ns);
    interleave(&race, list ? list : &known);
    fd = run(&race, *deadline_ns, err);
    race_close(&race);
    return fd;
}
