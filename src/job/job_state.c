#include "job/job_state.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void job_state_zero(struct job_state *state)
{
    state->wake_fd = state->stop_fd = -1;
    pthread_mutex_init(&state->lock, NULL);
}

int job_state_init(struct job_state *state, struct error *err)
{
    state->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    state->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state->wake_fd < 0 || state->stop_fd < 0)
        return error_set(err, ERROR_SYSTEM, errno, "make an eventfd");
    return 0;
}

void job_state_fini(struct job_state *state)
{
    if (state->wake_fd >= 0)
        close(state->wake_fd);
    if (state->stop_fd >= 0)
        close(state->stop_fd);
    pthread_mutex_destroy(&state->lock);
}

static void raise_fd(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));

    (void)n; /* EAGAIN: already signalled */
}

void job_state_wake(struct job_state *state)
{
    raise_fd(state->wake_fd);
}

static bool is_grave(enum error_kind kind)
{
    return kind == ERROR_TARGET_IO || kind == ERROR_SOURCE_IO ||
           kind == ERROR_NO_SPACE;
}

void job_state_fail(struct job_state *state, const struct error *err)
{
    pthread_mutex_lock(&state->lock);
    if (state->first.kind == ERROR_NONE ||
        (state->first.kind == ERROR_TEMPORARY && is_grave(err->kind))) {
        state->first = *err;
        if (err->kind == ERROR_MISMATCH)
            atomic_fetch_add(&state->mismatches, 1);
    }
    pthread_mutex_unlock(&state->lock);

    atomic_store(&state->stop, true);
    raise_fd(state->stop_fd);
    raise_fd(state->wake_fd);
}

void job_state_replace_error(struct job_state *state, const struct error *err)
{
    pthread_mutex_lock(&state->lock);
    if (state->first.kind == ERROR_TEMPORARY)
        state->first = *err;
    pthread_mutex_unlock(&state->lock);
}

bool job_state_first_error(struct job_state *state, struct error *err)
{
    bool any;

    pthread_mutex_lock(&state->lock);
    any = state->first.kind != ERROR_NONE;
    if (any)
        *err = state->first;
    pthread_mutex_unlock(&state->lock);
    return any;
}

bool job_state_stopping(const struct job_state *state)
{
    return atomic_load_explicit(&state->stop, memory_order_relaxed);
}

static void drain_fd(int fd)
{
    uint64_t drained;
    ssize_t n = read(fd, &drained, sizeof(drained));

    (void)n; /* EAGAIN: was not signalled */
}

void job_state_go_on(struct job_state *state)
{
    pthread_mutex_lock(&state->lock);
    state->first.kind = ERROR_NONE;
    pthread_mutex_unlock(&state->lock);
    drain_fd(state->stop_fd);
    drain_fd(state->wake_fd);
    atomic_store(&state->is_stalled, false);
    atomic_store(&state->stop, false);
}

bool job_state_wait(struct job_state *state, int other_fd, int timeout_ms)
{
    struct pollfd fds[] = {
        { .fd = state->wake_fd, .events = POLLIN },
        { .fd = other_fd, .events = POLLIN },
    };

    poll(fds, 2, timeout_ms);
    if (fds[0].revents != 0)
        drain_fd(state->wake_fd);
    return fds[1].revents != 0;
}

bool job_state_is_cancelled(struct job_state *state, struct error *err)
{
    if (!atomic_load(&state->cancelled))
        return false;
    error_set(err, ERROR_CANCELLED, 0, "stopped by request");
    return true;
}

bool job_state_must_end(struct job_state *state)
{
    struct error err;

    if (job_state_is_cancelled(state, &err))
        job_state_fail(state, &err);
    return job_state_stopping(state);
}
