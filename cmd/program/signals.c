#include "program/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* A process has one set of signals, so this is a singleton. */
static struct {
    struct signals_plan plan;
    sigset_t watched;
    bool hangup_stops;    /* SIGHUP means that the terminal closed */
    pthread_mutex_t lock; /* protects the fields below */
    struct cw_job *job;
    int caught;     /* signal while the job ran */
    bool has_ended; /* the job ended: its status is final */
    bool is_late;   /* a signal came after that */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Returns the next signal; -1: the job did not end in time after the first. */
static int next_signal(void)
{
    struct timespec patience = {
        .tv_sec = state.plan.patience_ms / 1000,
        .tv_nsec = state.plan.patience_ms % 1000 * 1000000L,
    };
    int number;

    do {
        number = state.caught == 0
                     ? sigwaitinfo(&state.watched, NULL)
                     : sigtimedwait(&state.watched, NULL, &patience);
    } while (number < 0 && errno == EINTR);
    return number;
}

/* A terminal that closes sends SIGHUP to all that it started. */
static bool has_terminal(void)
{
    return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) ||
           isatty(STDERR_FILENO);
}

/* Reloads or reports a running job.  Returns false for a stop signal. */
static bool reload_or_report(int number)
{
    void (*wish)(struct cw_job * job) = number == SIGHUP ? state.plan.reload
                                                         : state.plan.report;

    if (number != SIGUSR1 && (number != SIGHUP || state.hangup_stops))
        return false;
    if (wish && state.job && state.caught == 0)
        wish(state.job);
    return true;
}

/* Handles a stop signal.  Returns false if the process must end at once. */
static bool take(int number)
{
    if (state.caught != 0 || state.is_late || (!state.job && !state.has_ended))
        return false;
    if (!state.job) {
        state.is_late = true;
        return true;
    }
    state.caught = number;
    state.plan.stop(state.job);
    return true;
}

static void *watch(void *unused)
{
    (void)unused;
    for (;;) {
        int number = next_signal();

        pthread_mutex_lock(&state.lock);
        if (number < 0) {
            state.plan.late(state.plan.opaque, state.caught);
            _exit(128 + state.caught);
        }
        if (!reload_or_report(number)) {
            if (!take(number))
                _exit(128 + number);
        }
        pthread_mutex_unlock(&state.lock);
    }
    return NULL;
}

int signals_open(const struct signals_plan *plan, struct error *err)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    pthread_t thread;
    int r;

    state.plan = *plan;
    state.hangup_stops = has_terminal();
    sigemptyset(&state.watched);
    sigaddset(&state.watched, SIGINT);
    sigaddset(&state.watched, SIGTERM);
    sigaddset(&state.watched, SIGHUP);
    sigaddset(&state.watched, SIGUSR1);
    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return error_set(err, ERROR_SYSTEM, errno, "ignore SIGPIPE");
    pthread_sigmask(SIG_BLOCK, &state.watched, NULL);
    r = pthread_create(&thread, NULL, watch, NULL);
    if (r != 0)
        return error_set(err, ERROR_SYSTEM, r, "start the signal thread");
    pthread_detach(thread);
    return 0;
}

void signals_set_job(struct cw_job *job)
{
    pthread_mutex_lock(&state.lock);
    state.has_ended = state.job && !job;
    state.job = job;
    pthread_mutex_unlock(&state.lock);
}

int signals_caught(void)
{
    int caught;

    pthread_mutex_lock(&state.lock);
    caught = state.caught;
    pthread_mutex_unlock(&state.lock);
    return caught;
}
