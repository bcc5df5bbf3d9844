/* thread.h - threads with a small stack and without signals. */
#ifndef CW_BASE_THREAD_H
#define CW_BASE_THREAD_H

#include <pthread.h>

#include "base/error.h"

#define THREAD_STACK_BYTES (256U << 10)

/*
 * Starts main(arg) on a thread with all signals blocked and with a small stack,
 * to save the memory of a pod.  ERROR_SYSTEM.
 */
int thread_start(pthread_t *thread, void *(*main)(void *), void *arg,
                 struct error *err);

#endif
