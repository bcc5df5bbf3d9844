#include "monitor/https_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "monitor/https_private.h"
#include "net/conn.h"

#define THREAD_STACK (256U << 10)

struct https {
    SSL_CTX *ctx;
    https_handler *handler;
    void *opaque;
    int listeners[HTTPS_LISTENERS];
    unsigned listener_count;
    char address[80];
    int close_fd; /* eventfd: readable once https_close() runs */
    pthread_t thread;
    bool started;

    /* Used by the server's thread. */
    struct https_client *clients[HTTPS_CLIENTS];
    uint64_t accept_ns; /* accept no client before */
};

static void drop(struct https_client **place)
{
    https_client_close(TAKE_PTR(*place));
}

/* Returns a free slot, or evicts the oldest client and returns its slot. */
static struct https_client **make_place(struct https *https)
{
    struct https_client **oldest = &https->clients[0];

    for (unsigned i = 0; i < HTTPS_CLIENTS; i++) {
        if (!https->clients[i])
            return &https->clients[i];
        if (https->clients[i]->since_ns < (*oldest)->since_ns)
            oldest = &https->clients[i];
    }
    drop(oldest);
    return oldest;
}

static void step(struct https_client **place)
{
    if (!https_client_step(*place))
        drop(place);
}

static void receive(struct https *https, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct https_client **place;

    https->accept_ns = clock_now_ns() + HTTPS_PACE_MS * CLOCK_MS_NS;
    if (fd < 0)
        return;
    place = make_place(https);
    *place = https_client_open(fd, https->ctx);
    if (!*place)
        return;
    (*place)->handler = https->handler;
    (*place)->opaque = https->opaque;
    step(place);
}

static void lower(uint64_t *earliest_ns, uint64_t ns)
{
    if (ns < *earliest_ns)
        *earliest_ns = ns;
}

/* Closes clients that timed out.  Returns when to check again at the latest. */
static uint64_t expire(struct https *https, uint64_t now_ns)
{
    uint64_t again_ns = UINT64_MAX;

    for (unsigned i = 0; i < HTTPS_CLIENTS; i++) {
        uint64_t until_ns;

        if (!https->clients[i])
            continue;
        until_ns = https->clients[i]->since_ns +
                   HTTPS_PATIENCE_MS * CLOCK_MS_NS;
        if (until_ns <= now_ns)
            drop(&https->clients[i]);
        else
            lower(&again_ns, until_ns);
    }
    if (https->accept_ns > now_ns)
        lower(&again_ns, https->accept_ns);
    return again_ns;
}

static int wait_ms(uint64_t now_ns, uint64_t until_ns)
{
    return until_ns == UINT64_MAX
               ? -1
               : (int)((until_ns - now_ns) / CLOCK_MS_NS) + 1;
}

/* Returns false if the server must close. */
static bool serve_once(struct https *https)
{
    struct pollfd fds[1 + HTTPS_CLIENTS + HTTPS_LISTENERS];
    struct pollfd *of_listeners = fds + 1 + HTTPS_CLIENTS;
    uint64_t now_ns = clock_now_ns();
    uint64_t again_ns = expire(https, now_ns);

    fds[0] = (struct pollfd){ .fd = https->close_fd, .events = POLLIN };
    for (unsigned i = 0; i < HTTPS_CLIENTS; i++) {
        const struct https_client *client = https->clients[i];

        fds[1 + i] = (struct pollfd){ .fd = client ? client->fd : -1,
                                      .events = client ? client->wants : 0 };
    }
    for (unsigned i = 0; i < https->listener_count; i++)
        of_listeners[i] = (struct pollfd){
            .fd = https->accept_ns > now_ns ? -1 : https->listeners[i],
            .events = POLLIN,
        };

    if (poll(fds, 1 + HTTPS_CLIENTS + https->listener_count,
             wait_ms(now_ns, again_ns)) < 0)
        return errno == EINTR;
    if (fds[0].revents != 0)
        return false;
    for (unsigned i = 0; i < HTTPS_CLIENTS; i++)
        if (fds[1 + i].revents != 0)
            step(&https->clients[i]);
    for (unsigned i = 0; i < https->listener_count; i++)
        if (of_listeners[i].revents != 0)
            receive(https, https->listeners[i]);
    return true;
}

static void *serve(void *arg)
{
    struct https *https = arg;

    while (serve_once(https))
        ;
    for (unsigned i = 0; i < HTTPS_CLIENTS; i++)
        drop(&https->clients[i]);
    return NULL;
}

/* Blocks every signal in the thread: OpenSSL's socket BIO uses write(2), and
 * SIGPIPE must not kill an embedding process. */
static int start(struct https *https, struct error *err)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(&https->thread, &attr, serve, https);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (r != 0)
        return error_set(err, ERROR_SYSTEM, r, "start a thread");
    https->started = true;
    return 0;
}

static int listen_on(struct https *https, const struct addr *addr,
                     struct error *err)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    int n = conn_listen(addr, NULL, https->listeners, HTTPS_LISTENERS, err);

    if (n < 0)
        return -1;
    https->listener_count = (unsigned)n;
    for (int i = 0; i < n; i++)
        if (fcntl(https->listeners[i], F_SETFL, O_NONBLOCK) < 0)
            return error_set(err, ERROR_SYSTEM, errno, "listen for metrics");
    if (getsockname(https->listeners[0], (struct sockaddr *)&sa, &len) < 0)
        return error_set(err, ERROR_SYSTEM, errno, "listen for metrics");
    addr_format((struct sockaddr *)&sa, len, https->address,
                sizeof(https->address));
    return 0;
}

int https_open(const struct addr *addr, const struct tls *tls,
               https_handler *handler, void *opaque, struct https **https,
               struct error *err)
{
    struct https *h = calloc(1, sizeof(*h));

    if (!h)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "listen for metrics");
    *https = h; /* https_close() accepts a partly built one */
    h->handler = handler;
    h->opaque = opaque;
    h->close_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->close_fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "make an eventfd");
    h->ctx = https_tls_open(tls, err);
    if (!h->ctx || listen_on(h, addr, err) < 0)
        return -1;
    return start(h, err);
}

const char *https_address(const struct https *https)
{
    return https->address;
}

void https_close(struct https *https)
{
    uint64_t one = 1;

    if (!https)
        return;
    if (https->started && write(https->close_fd, &one, sizeof(one)) > 0)
        pthread_join(https->thread, NULL);
    for (unsigned i = 0; i < https->listener_count; i++)
        close(https->listeners[i]);
    if (https->close_fd >= 0)
        close(https->close_fd);
    SSL_CTX_free(https->ctx);
    free(https);
}
