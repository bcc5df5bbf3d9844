#include "net/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/thread.h"
#include "net/conn.h"
#include "net/waiting_room.h"

#define FULL_PAUSE_MS 1000 /* wait for a descriptor to become free */
#define ACCEPT_BATCH  64   /* before those that wait are looked at */

/* One client, from accept(2) to the end of its thread. */
struct client {
    struct acceptor *acceptor;
    int fd;              /* moved to serve() */
    int stop_fd;         /* eventfd, owned */
    bool is_stopped;     /* stop_fd is readable */
    uint64_t address;    /* as waiting_room_address() */
    struct client *next; /* accepted after this one */
};

struct acceptor {
    struct acceptor_options options;
    int sockets[ACCEPTOR_LISTENERS];
    unsigned socket_count;
    int close_fd; /* eventfd: stays readable once the acceptor closes */
    pthread_t thread;
    bool started;
    bool is_exhausted; /* the last accept(2) had no descriptor left */
    struct waiting_room room;
    _Atomic uint64_t favoured; /* as in room */
    struct pollfd fds[ACCEPTOR_LISTENERS + 1 + WAITING_ROOM_SEATS];

    pthread_mutex_t lock; /* of the fields below */
    pthread_cond_t ended; /* a client's thread */
    struct client *oldest;
    unsigned client_count;
    pthread_t last; /* thread that ended last, if has_last */
    bool has_last;
};

static void signal_stop(int fd)
{
    if (fd >= 0 && eventfd_write(fd, 1) < 0)
        log_warn("cannot wake a thread that serves a client");
}

static bool pause_ms(const struct acceptor *acceptor, unsigned ms)
{
    struct pollfd fd = { .fd = acceptor->close_fd, .events = POLLIN };

    return poll(&fd, 1, (int)ms) == 0;
}

/* ---- a client's thread ---- */

static void add_client(struct acceptor *acceptor, struct client *client)
{
    struct client **place = &acceptor->oldest;

    pthread_mutex_lock(&acceptor->lock);
    while (*place)
        place = &(*place)->next;
    *place = client;
    acceptor->client_count++;
    pthread_mutex_unlock(&acceptor->lock);
}

/* Locked. */
static void drop_client(struct acceptor *acceptor, struct client *client)
{
    struct client **place = &acceptor->oldest;

    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    acceptor->client_count--;
    pthread_cond_signal(&acceptor->ended);
    close(client->stop_fd);
    free(client);
}

/*
 * Ends a client's thread.  It joins the one that ended before it, so that all
 * are gone once the acceptor has joined the last: a detached thread might
 * still be freeing its TLS library state.
 */
static void end_client(struct acceptor *acceptor, struct client *client)
{
    pthread_t before;
    bool is_first;

    pthread_mutex_lock(&acceptor->lock);
    is_first = !acceptor->has_last;
    before = acceptor->last;
    acceptor->last = pthread_self();
    acceptor->has_last = true;
    drop_client(acceptor, client);
    pthread_mutex_unlock(&acceptor->lock);
    if (!is_first)
        pthread_join(before, NULL);
}

static void *client_main(void *arg)
{
    struct client *client = arg;
    struct acceptor *acceptor = client->acceptor;

    acceptor->options.serve(acceptor->options.opaque, client->fd,
                            client->stop_fd);
    end_client(acceptor, client);
    return NULL;
}

static struct client *new_client(struct acceptor *acceptor, int fd)
{
    struct client *client = malloc(sizeof(*client));

    if (!client)
        return NULL;
    *client = (struct client){
        .acceptor = acceptor,
        .fd = fd,
        .address = waiting_room_address(fd),
        .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    if (client->stop_fd >= 0)
        return client;
    free(client);
    return NULL;
}

/* ---- accepting ---- */

/* Locked.  Clients of the address of c; of the favoured one, those beyond half
 * of all. */
static int client_crowd(const struct acceptor *acceptor, const struct client *c)
{
    uint64_t favoured = atomic_load(&acceptor->favoured);
    int crowd = 0;

    for (const struct client *i = acceptor->oldest; i; i = i->next)
        crowd += i->address == c->address;
    return favoured != 0 && c->address == favoured
               ? crowd - (int)acceptor->options.max_clients / 2
               : crowd;
}

/* Locked.  Stops the oldest client of the address that has most, unless one is
 * ending already. */
static void stop_one(struct acceptor *acceptor)
{
    struct client *victim = acceptor->oldest;

    for (struct client *c = acceptor->oldest; c; c = c->next) {
        if (c->is_stopped)
            return;
        if (client_crowd(acceptor, c) > client_crowd(acceptor, victim))
            victim = c;
    }
    if (!victim)
        return;
    victim->is_stopped = true;
    signal_stop(victim->stop_fd);
}

static void wait_for_room(struct acceptor *acceptor)
{
    pthread_mutex_lock(&acceptor->lock);
    while (acceptor->client_count >= acceptor->options.max_clients) {
        stop_one(acceptor);
        pthread_cond_wait(&acceptor->ended, &acceptor->lock);
    }
    pthread_mutex_unlock(&acceptor->lock);
}

/* Starts a thread for fd (moved). */
static void start_client(struct acceptor *acceptor, int fd)
{
    struct client *client;
    struct error err;
    pthread_t thread;

    wait_for_room(acceptor);
    client = new_client(acceptor, fd);
    if (!client) {
        close(fd);
        return;
    }
    add_client(acceptor, client);
    if (thread_start(&thread, client_main, client, &err) == 0)
        return;
    log_warn_limited("", "cannot serve a client: %s", err.text);
    close(fd);
    pthread_mutex_lock(&acceptor->lock);
    drop_client(acceptor, client);
    pthread_mutex_unlock(&acceptor->lock);
}

/* False: nothing more to accept now. */
static bool accept_one(struct acceptor *acceptor, int socket)
{
    int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
    int errnum = errno;

    if (fd >= 0) {
        acceptor->is_exhausted = false;
        waiting_room_add(&acceptor->room, fd);
    } else if (errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
               errnum == ENOMEM) {
        if (!acceptor->is_exhausted && acceptor->options.exhausted)
            acceptor->options.exhausted(acceptor->options.opaque, errnum);
        acceptor->is_exhausted = true;
        /* Without a pause poll() would return at once: the client waits. */
        pause_ms(acceptor, FULL_PAUSE_MS);
    }
    return fd >= 0;
}

static void accept_some(struct acceptor *acceptor, int socket)
{
    for (int i = 0; i < ACCEPT_BATCH && accept_one(acceptor, socket); i++)
        ;
}

static void serve_ready(struct acceptor *acceptor)
{
    int fd;

    while ((fd = waiting_room_take(&acceptor->room)) >= 0) {
        start_client(acceptor, fd);
        if (acceptor->options.pace_ms > 0)
            pause_ms(acceptor, acceptor->options.pace_ms);
    }
}

static void *acceptor_main(void *arg)
{
    struct acceptor *acceptor = arg;
    unsigned count = acceptor->socket_count;
    struct pollfd *fds = acceptor->fds;

    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){ .fd = acceptor->sockets[i],
                                  .events = POLLIN };
    fds[count] = (struct pollfd){ .fd = acceptor->close_fd, .events = POLLIN };
    waiting_room_open(&acceptor->room, fds + count + 1);
    for (;;) {
        poll(fds, count + 1 + acceptor->room.count,
             waiting_room_timeout_ms(&acceptor->room));
        if (fds[count].revents != 0)
            break;
        acceptor->room.favoured = atomic_load(&acceptor->favoured);
        serve_ready(acceptor);
        for (unsigned i = 0; i < count; i++)
            if (fds[i].revents & POLLIN)
                accept_some(acceptor, acceptor->sockets[i]);
    }
    waiting_room_close(&acceptor->room);
    return NULL;
}

int acceptor_open(const struct addr *addr,
                  const struct acceptor_options *options,
                  struct acceptor **acceptor, struct error *err)
{
    struct acceptor *a = calloc(1, sizeof(*a));
    int n;

    *acceptor = a; /* acceptor_close() accepts a partly built one */
    if (!a)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a port");
    a->options = *options;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->ended, NULL);
    a->close_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->close_fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "make an eventfd");
    n = conn_listen(addr, options->device, a->sockets, ACCEPTOR_LISTENERS, err);
    if (n < 0)
        return -1;
    a->socket_count = (unsigned)n;
    if (thread_start(&a->thread, acceptor_main, a, err) < 0)
        return -1;
    a->started = true;
    return 0;
}

unsigned acceptor_sockets(const struct acceptor *acceptor, const int **fds)
{
    *fds = acceptor->sockets;
    return acceptor->socket_count;
}

void acceptor_favour(struct acceptor *acceptor, int fd)
{
    atomic_store(&acceptor->favoured, fd < 0 ? 0 : waiting_room_address(fd));
}

static void stop_clients(struct acceptor *acceptor)
{
    pthread_mutex_lock(&acceptor->lock);
    for (struct client *c = acceptor->oldest; c; c = c->next)
        signal_stop(c->stop_fd);
    while (acceptor->client_count > 0)
        pthread_cond_wait(&acceptor->ended, &acceptor->lock);
    pthread_mutex_unlock(&acceptor->lock);
    if (acceptor->has_last)
        pthread_join(acceptor->last, NULL);
}

void acceptor_close(struct acceptor *acceptor)
{
    if (!acceptor)
        return;
    signal_stop(acceptor->close_fd);
    if (acceptor->started)
        pthread_join(acceptor->thread, NULL);
    stop_clients(acceptor);
    for (unsigned i = 0; i < acceptor->socket_count; i++)
        close(acceptor->sockets[i]);
    if (acceptor->close_fd >= 0)
        close(acceptor->close_fd);
    pthread_cond_destroy(&acceptor->ended);
    pthread_mutex_destroy(&acceptor->lock);
    free(acceptor);
}
