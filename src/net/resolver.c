#include "net/resolver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Shared by the thread and the caller; the last one frees it. */
struct lookup {
    atomic_uint users;
    int done_fd;         /* eventfd: signalled when is_done is set */
    atomic_bool is_done; /* the fields below are final */
    struct addr addr;
    struct addrinfo *list; /* NULL: see err */
    struct error err;
};

static void release(struct lookup **lookup)
{
    struct lookup *l = *lookup;

    if (!l || atomic_fetch_sub(&l->users, 1) > 1)
        return;
    if (l->list)
        freeaddrinfo(l->list);
    if (l->done_fd >= 0)
        close(l->done_fd);
    free(l);
}

static void *lookup_main(void *arg)
{
    struct lookup *l = arg;

    if (addr_resolve(&l->addr, false, &l->list, &l->err) < 0)
        l->list = NULL;
    atomic_store(&l->is_done, true);
    eventfd_write(l->done_fd, 1);
    release(&l);
    return NULL;
}

/* The thread owns one reference to l.  Returns 0 or an errno value. */
static int start_thread(struct lookup *l)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int errnum;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* the main thread handles signals */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errnum = pthread_create(&thread, &attr, lookup_main, l);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return errnum;
}

static struct lookup *start(const struct addr *addr, struct error *err)
{
    AUTO(release) struct lookup *l = calloc(1, sizeof(*l));
    int errnum;

    if (!l) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "resolve %s", addr->host);
        return NULL;
    }
    atomic_init(&l->users, 1);
    l->addr = *addr;
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    if (l->done_fd < 0) {
        error_set(err, ERROR_SYSTEM, errno, "resolve %s", addr->host);
        return NULL;
    }
    atomic_store(&l->users, 2);
    errnum = start_thread(l);
    if (errnum == 0)
        return TAKE_PTR(l);
    atomic_store(&l->users, 1);
    error_set(err, ERROR_SYSTEM, errnum, "resolve %s", addr->host);
    return NULL;
}

static int await(const struct lookup *l, int stop_fd, uint64_t deadline_ns,
                 struct error *err)
{
    struct pollfd fds[] = {
        { .fd = l->done_fd, .events = POLLIN },
        { .fd = stop_fd > 0 ? stop_fd : -1, .events = POLLIN },
    };

    do {
        int ms = clock_until_ms(deadline_ns);
        int n = poll(fds, 2, ms);

        if (n < 0 && errno != EINTR)
            return error_set(err, ERROR_SYSTEM, errno, "resolve %s",
                             l->addr.host);
        if (n > 0 && fds[1].revents != 0)
            return error_set(err, ERROR_CANCELLED, 0, "resolve %s: stopped",
                             l->addr.host);
        if (n == 0 && ms == 0)
            return error_set(err, ERROR_TEMPORARY, ETIMEDOUT,
                             "resolve %s: no answer from the name server",
                             l->addr.host);
    } while (!atomic_load(&l->is_done));
    return 0;
}

int resolver_find(const struct addr *addr, int stop_fd, uint64_t deadline_ns,
                  struct addrinfo **list, struct error *err)
{
    AUTO(release) struct lookup *l = NULL;

    if (addr_is_literal(addr))
        return addr_resolve(addr, false, list, err);
    l = start(addr, err);
    if (!l || await(l, stop_fd, deadline_ns, err) < 0)
        return -1;
    *list = TAKE_PTR(l->list);
    if (*list)
        return 0;
    *err = l->err;
    return -1;
}
