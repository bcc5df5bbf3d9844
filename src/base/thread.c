#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *thread, void *(*main)(void *), void *arg,
                 struct error *err)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    sigfillset(&all); /* signals are for the main thread */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(thread, &attr, main, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (r != 0)
        return error_set(err, ERROR_SYSTEM, r, "start a thread");
    return 0;
}
