#include "control/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "job/thread.h"
#include "net/local_addrs.h"

#define ADDRESS_CHARS 80
#define FULL_PAUSE_MS 1000 /* wait for a descriptor to become free */

struct listener {
    struct cw_job *job;        /* borrowed */
    struct listener_http http; /* receive NULL: no HTTP */
    int listeners[LISTENER_LISTENERS];
    unsigned listener_count;
    int close_fd; /* eventfd: stays readable once the listener closes */
    pthread_t thread;
    bool started;
    bool is_full; /* no descriptor was left for the last client */

    pthread_mutex_t lock; /* of the fields below */
    pthread_cond_t gone;  /* a greeting thread has ended */
    unsigned greeting;    /* visitors shaking hands */
    pthread_t greeted;    /* the last one's thread, if has_greeted: ending */
    bool has_greeted;
    struct visitor *first; /* ready for listener_take(), oldest first */
    struct visitor **last;
};

/* The argument of one greeting thread. */
struct greeting {
    struct listener *listener;
    int fd; /* owned */
};

static void push(struct listener *listener, struct visitor *visitor)
{
    pthread_mutex_lock(&listener->lock);
    visitor->next = NULL;
    *listener->last = visitor;
    listener->last = &visitor->next;
    pthread_mutex_unlock(&listener->lock);
    job_state_wake(&listener->job->state);
}

struct visitor *listener_take(struct listener *listener)
{
    struct visitor *visitor;

    pthread_mutex_lock(&listener->lock);
    visitor = listener->first;
    if (visitor) {
        listener->first = visitor->next;
        if (!listener->first)
            listener->last = &listener->first;
    }
    pthread_mutex_unlock(&listener->lock);
    return visitor;
}

void visitor_close(struct visitor *visitor)
{
    if (!visitor)
        return;
    conn_close(visitor->conn);
    request_close(visitor->upload.request);
    free(visitor);
}

void visitor_log_refusal(const struct visitor *visitor, const struct error *err)
{
    bool is_known = visitor->peer[0] != '\0'; /* else err names it */

    log_warn("refused a connection%s%s: %s", is_known ? " from " : "",
             visitor->peer, err->text);
}

/* Receives the first message, which must be HELLO, JOIN or ERROR. */
static int ask(struct visitor *visitor, struct channel *channel, int close_fd,
               struct error *err)
{
    uint64_t deadline_ns = clock_now_ns() + LISTENER_PATIENCE_MS * CLOCK_MS_NS;

    if (channel_wait(channel, &visitor->first, deadline_ns, close_fd, err) <
        0) {
        if (err->kind == ERROR_PROTOCOL)
            channel_send_error(channel, err);
        return -1;
    }
    if (visitor->first.type == MESSAGE_HELLO ||
        visitor->first.type == MESSAGE_JOIN)
        return 0;
    if (visitor->first.type == MESSAGE_ERROR) {
        channel_peer_error(&visitor->first.error, true, err);
        return -1;
    }
    error_set(err, ERROR_PROTOCOL, 0, "first message is %s",
              message_type_name(visitor->first.type));
    channel_send_error(channel, err);
    return -1;
}

/* 1: a source or an upload; 0: a client that was answered; -1: *err. */
static int let_in(struct listener *listener, int fd, struct visitor *visitor,
                  struct error *err)
{
    struct conn_options options = {
        .role = CONN_DATA,
        .handshake_timeout_ms = LISTENER_PATIENCE_MS,
        .congestion = listener->job->tuning.congestion,
        .stop_fd = listener->close_fd,
    };
    AUTO_FREE struct channel *channel = malloc(sizeof(*channel));
    struct conn_info info;
    struct tls *tls;
    int r;

    if (!channel) {
        close(fd);
        return error_set(err, ERROR_SYSTEM, ENOMEM, "greet a visitor");
    }
    tls = job_share_tls(listener->job);
    r = conn_accept(fd, tls, &options, &visitor->conn, err);
    tls_close(tls);
    if (r < 0)
        return -1;
    conn_get_info(visitor->conn, &info);
    snprintf(visitor->peer, sizeof(visitor->peer), "%s", info.peer);
    snprintf(visitor->name, sizeof(visitor->name), "%s", info.peer_name);

    if (listener->http.receive && conn_is_http(visitor->conn))
        return listener->http.receive(listener->http.opaque,
                                      TAKE_PTR(visitor->conn),
                                      listener->close_fd, &visitor->upload);
    channel_init(channel, visitor->conn);
    if (conn_check_peer(visitor->conn, err) < 0) {
        channel_send_error(channel, err);
        return -1;
    }
    if (ask(visitor, channel, listener->close_fd, err) == 0)
        return 1;
    if (!listener->http.receive || channel->have > 0 ||
        err->kind != ERROR_TEMPORARY)
        return -1;
    /* An HTTP source first asks which protocol the target speaks: not worth a
     * warning, and not a failed clone. */
    log_debug("%s: %s", visitor->peer, err->text);
    return 0;
}

/*
 * Ends a greeting thread.  It joins the one that ended before it, so that all
 * are gone once the listener has joined the last: a detached thread might
 * still be freeing its TLS library state.
 */
static void end_greeting(struct listener *listener)
{
    pthread_t before;
    bool is_first;

    pthread_mutex_lock(&listener->lock);
    is_first = !listener->has_greeted;
    before = listener->greeted;
    listener->greeted = pthread_self();
    listener->has_greeted = true;
    listener->greeting--;
    pthread_cond_signal(&listener->gone);
    pthread_mutex_unlock(&listener->lock);
    if (!is_first)
        pthread_join(before, NULL);
}

static void *greet(void *arg)
{
    AUTO_FREE struct greeting *greeting = arg;
    struct listener *listener = greeting->listener;
    struct visitor *visitor = calloc(1, sizeof(*visitor));

    if (!visitor) {
        close(greeting->fd);
    } else {
        int r = let_in(listener, greeting->fd, visitor, &visitor->err);

        if (r < 0)
            conn_close(TAKE_PTR(visitor->conn));
        if (r != 0)
            push(listener, visitor);
        else
            visitor_close(visitor);
    }
    end_greeting(listener);
    return NULL;
}

/* Starts a greeting thread for fd (moved). */
static void receive(struct listener *listener, int fd)
{
    struct greeting *greeting = malloc(sizeof(*greeting));
    struct error err;
    pthread_t thread;

    if (!greeting) {
        close(fd);
        return;
    }
    *greeting = (struct greeting){ listener, fd };

    pthread_mutex_lock(&listener->lock);
    while (listener->greeting >= LISTENER_VISITORS)
        pthread_cond_wait(&listener->gone, &listener->lock);
    listener->greeting++;
    pthread_mutex_unlock(&listener->lock);

    if (thread_start(&thread, greet, greeting, &err) == 0)
        return;
    log_warn("cannot greet a visitor: %s", err.text);
    close(fd);
    free(greeting);
    pthread_mutex_lock(&listener->lock);
    listener->greeting--;
    pthread_mutex_unlock(&listener->lock);
}

/* Reports an accept() failure to the caller of listener_take(). */
static void push_accept_error(struct listener *listener, int errnum)
{
    struct visitor *visitor = calloc(1, sizeof(*visitor));

    if (!visitor)
        return;
    error_set(&visitor->err, ERROR_SYSTEM, errnum, "accept it");
    push(listener, visitor);
}

/* Accepts one connection from a listening socket. */
static void accept_one(struct listener *listener, int listening)
{
    struct pollfd close_fd = { .fd = listener->close_fd, .events = POLLIN };
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    int errnum = errno;

    if (fd >= 0) {
        listener->is_full = false;
        receive(listener, fd);
        return;
    }
    if (errnum != EMFILE && errnum != ENFILE && errnum != ENOBUFS &&
        errnum != ENOMEM)
        return;
    if (!listener->is_full)
        push_accept_error(listener, errnum);
    listener->is_full = true;
    /* Without a pause poll() would return at once: the client still waits. */
    poll(&close_fd, 1, FULL_PAUSE_MS);
}

static void *listener_main(void *arg)
{
    struct listener *listener = arg;
    struct pollfd fds[LISTENER_LISTENERS + 1];

    for (;;) {
        for (unsigned i = 0; i < listener->listener_count; i++)
            fds[i] = (struct pollfd){ .fd = listener->listeners[i],
                                      .events = POLLIN };
        fds[listener->listener_count] = (struct pollfd){
            .fd = listener->close_fd, .events = POLLIN
        };
        poll(fds, listener->listener_count + 1, -1);
        if (fds[listener->listener_count].revents != 0)
            return NULL;

        for (unsigned i = 0; i < listener->listener_count; i++)
            if (fds[i].revents & POLLIN)
                accept_one(listener, listener->listeners[i]);
    }
}

static void announce(struct listener *listener, int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    char text[128];

    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return;
    addr_format((struct sockaddr *)&sa, len, text, sizeof(text));
    log_info("listening on %s", text);
    if (listener->job->events.listening)
        listener->job->events.listening(listener->job->events.opaque, text);
}

/* Announces the addresses that others can reach; skips those not known. */
static int announce_reachable(const struct listener *listener,
                              struct error *err)
{
    struct sockaddr_storage found[LOCAL_ADDRS_MAX];
    char texts[LOCAL_ADDRS_MAX][ADDRESS_CHARS];
    const char *addresses[LOCAL_ADDRS_MAX];
    unsigned n = 0;
    int r;

    if (!listener->job->events.reachable)
        return 0;
    for (unsigned i = 0; i < listener->listener_count; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);

        if (getsockname(listener->listeners[i], (struct sockaddr *)&sa, &len) <
            0)
            continue;
        r = local_addrs_list((struct sockaddr *)&sa,
                             listener->job->tuning.bind_device, found + n,
                             LOCAL_ADDRS_MAX - n, err);
        if (r < 0)
            log_warn("%s", err->text);
        else
            n += (unsigned)r;
    }
    for (unsigned i = 0; i < n; i++)
        addresses[i] = addr_format((struct sockaddr *)&found[i],
                                   sizeof(found[i]), texts[i],
                                   sizeof(texts[i]));
    r = listener->job->events.reachable(listener->job->events.opaque, addresses,
                                        n);
    return r == 0 ? 0
                  : error_set(err, ERROR_SYSTEM, -r,
                              "hand out the pairing code, without which no "
                              "source can come");
}

int listener_open(const struct addr *addr, struct cw_job *job,
                  const struct listener_http *http, struct listener **listener,
                  struct error *err)
{
    struct listener *d = calloc(1, sizeof(*d));
    int n;

    if (!d)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a port");
    *listener = d; /* half-built: listener_close() tolerates that */
    d->job = job;
    if (http)
        d->http = *http;
    d->last = &d->first;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->gone, NULL);
    d->close_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->close_fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "make an eventfd");

    n = conn_listen(addr, job->tuning.bind_device, d->listeners,
                    LISTENER_LISTENERS, err);
    if (n < 0)
        return -1;
    d->listener_count = (unsigned)n;
    if (thread_start(&d->thread, listener_main, d, err) < 0)
        return -1;
    d->started = true;
    for (unsigned i = 0; i < d->listener_count; i++)
        announce(d, d->listeners[i]);
    return announce_reachable(d, err);
}

static void wait_for_greetings(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    while (listener->greeting > 0)
        pthread_cond_wait(&listener->gone, &listener->lock);
    pthread_mutex_unlock(&listener->lock);
    if (listener->has_greeted)
        pthread_join(listener->greeted, NULL);
}

void listener_close(struct listener *listener)
{
    uint64_t one = 1;
    struct visitor *visitor;

    if (!listener)
        return;
    if (listener->close_fd >= 0 &&
        write(listener->close_fd, &one, sizeof(one)) < 0)
        log_warn("cannot wake the listener");
    if (listener->started)
        pthread_join(listener->thread, NULL);
    wait_for_greetings(listener);
    while ((visitor = listener_take(listener)))
        visitor_close(visitor);
    for (unsigned i = 0; i < listener->listener_count; i++)
        close(listener->listeners[i]);
    if (listener->close_fd >= 0)
        close(listener->close_fd);
    pthread_cond_destroy(&listener->gone);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}
