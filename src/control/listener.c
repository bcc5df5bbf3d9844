#include "control/listener.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/acceptor.h"
#include "net/local_addrs.h"

struct listener {
    struct cw_job *job;              /* borrowed */
    const struct http_service *http; /* borrowed; NULL: no HTTP */
    struct acceptor *acceptor;       /* owned */

    pthread_mutex_t lock;  /* of the fields below */
    struct visitor *first; /* ready for listener_take(), oldest first */
    struct visitor **last;
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

void listener_favour(struct listener *listener, const struct conn *conn)
{
    acceptor_favour(listener->acceptor, conn_fd(conn));
}

void visitor_close(struct visitor *visitor)
{
    if (!visitor)
        return;
    conn_close(visitor->conn);
    request_close(visitor->upload);
    free(visitor);
}

void visitor_log_refusal(const struct visitor *visitor, const struct error *err)
{
    bool is_known = visitor->peer[0] != '\0'; /* else err names it */

    log_warn_limited(visitor->peer, "refused a connection%s%s: %s",
                     is_known ? " from " : "", visitor->peer, err->text);
}

/* Receives the first message, which must be HELLO, JOIN or ERROR. */
static int ask(struct visitor *visitor, struct channel *channel, int stop_fd,
               struct error *err)
{
    uint64_t deadline_ns = clock_now_ns() + LISTENER_TIMEOUT_MS * CLOCK_MS_NS;

    if (channel_wait(channel, &visitor->first, deadline_ns, stop_fd, err) < 0) {
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

static int shake_hands(struct listener *listener, int fd, int stop_fd,
                       struct visitor *visitor, struct error *err)
{
    struct conn_options options = {
        .role = CONN_DATA,
        .handshake_timeout_ms = LISTENER_TIMEOUT_MS,
        .congestion = listener->job->tuning.congestion,
        .stop_fd = stop_fd,
    };
    struct tls *tls = job_share_tls(listener->job);
    struct conn_info info;
    int r = conn_accept(fd, tls, &options, &visitor->conn, err);

    tls_close(tls);
    if (r < 0)
        return -1;
    conn_get_info(visitor->conn, &info);
    snprintf(visitor->peer, sizeof(visitor->peer), "%s", info.peer);
    snprintf(visitor->name, sizeof(visitor->name), "%s", info.peer_name);
    return 0;
}

/* 1: a source or an upload; 0: a client that was answered; -1: *err. */
static int let_in(struct listener *listener, int stop_fd,
                  struct visitor *visitor, struct error *err)
{
    AUTO_FREE struct channel *channel = malloc(sizeof(*channel));

    if (!channel)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "receive a client");
    if (listener->http && conn_is_http(visitor->conn)) {
        visitor->upload = http_serve(TAKE_PTR(visitor->conn), stop_fd,
                                     clock_now_ns() + REQUEST_HEAD_NS,
                                     listener->http);
        return visitor->upload != NULL;
    }
    channel_init(channel, visitor->conn);
    if (conn_check_peer(visitor->conn, err) < 0) {
        channel_send_error(channel, err);
        return -1;
    }
    if (ask(visitor, channel, stop_fd, err) == 0)
        return 1;
    if (!listener->http || channel->have > 0 || err->kind != ERROR_TEMPORARY)
        return -1;
    /* An HTTP source first asks which protocol the target speaks: not worth a
     * warning, and not a failed clone. */
    log_debug("%s: %s", visitor->peer, err->text);
    return 0;
}

/* The acceptor's callback: the client on fd becomes a visitor. */
static void receive(void *opaque, int fd, int stop_fd)
{
    struct listener *listener = opaque;
    struct visitor *visitor = calloc(1, sizeof(*visitor));
    int r;

    if (!visitor) {
        close(fd);
        return;
    }
    r = shake_hands(listener, fd, stop_fd, visitor, &visitor->err);
    if (r == 0)
        r = let_in(listener, stop_fd, visitor, &visitor->err);
    if (r < 0)
        conn_close(TAKE_PTR(visitor->conn));
    if (r < 0 && visitor->err.kind == ERROR_CANCELLED)
        error_set(&visitor->err, ERROR_TEMPORARY, 0,
                  "slow to introduce itself, while many clients connect");
    if (r != 0)
        push(listener, visitor);
    else
        visitor_close(visitor);
}

/* Reports an accept() failure to the caller of listener_take(). */
static void push_accept_error(void *opaque, int errnum)
{
    struct visitor *visitor = calloc(1, sizeof(*visitor));

    if (!visitor)
        return;
    error_set(&visitor->err, ERROR_SYSTEM, errnum, "accept it");
    push(opaque, visitor);
}

static void announce(const struct cw_job *job, int fd)
{
    char text[ADDR_CHARS];

    if (addr_format_own(fd, text) < 0)
        return;
    log_info("listening on %s", text);
    if (job->events.listening)
        job->events.listening(job->events.opaque, text);
}

/* Announces the addresses that others can reach; skips those not known. */
static int announce_reachable(const struct cw_job *job, const int *sockets,
                              unsigned socket_count, struct error *err)
{
    struct sockaddr_storage found[LOCAL_ADDRS_MAX];
    char texts[LOCAL_ADDRS_MAX][ADDR_CHARS];
    const char *addresses[LOCAL_ADDRS_MAX];
    unsigned n = 0;
    int r;

    if (!job->events.reachable)
        return 0;
    for (unsigned i = 0; i < socket_count; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);

        if (getsockname(sockets[i], (struct sockaddr *)&sa, &len) < 0)
            continue;
        r = local_addrs_list((struct sockaddr *)&sa, job->tuning.bind_device,
                             found + n, LOCAL_ADDRS_MAX - n, err);
        if (r < 0)
            log_warn("%s", err->text);
        else
            n += (unsigned)r;
    }
    for (unsigned i = 0; i < n; i++)
        addresses[i] = addr_format((struct sockaddr *)&found[i],
                                   sizeof(found[i]), texts[i],
                                   sizeof(texts[i]));
    r = job->events.reachable(job->events.opaque, addresses, n);
    return r == 0 ? 0
                  : error_set(err, ERROR_SYSTEM, -r,
                              "hand out the pairing code, which a source "
                              "needs");
}

int listener_open(const struct addr *addr, struct cw_job *job,
                  const struct http_service *http, struct listener **listener,
                  struct error *err)
{
    struct listener *l = calloc(1, sizeof(*l));
    const struct acceptor_options options = {
        .device = job->tuning.bind_device,
        .max_clients = LISTENER_VISITORS,
        .serve = receive,
        .exhausted = push_accept_error,
        .opaque = l,
    };
    const int *sockets;
    unsigned count;

    if (!l)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open a port");
    *listener = l; /* listener_close() accepts a partly built one */
    l->job = job;
    l->http = http;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    if (acceptor_open(addr, &options, &l->acceptor, err) < 0)
        return -1;
    count = acceptor_sockets(l->acceptor, &sockets);
    for (unsigned i = 0; i < count; i++)
        announce(job, sockets[i]);
    return announce_reachable(job, sockets, count, err);
}

void listener_close(struct listener *listener)
{
    struct visitor *visitor;

    if (!listener)
        return;
    acceptor_close(listener->acceptor);
    while ((visitor = listener_take(listener)))
        visitor_close(visitor);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}
