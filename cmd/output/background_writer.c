#include "output/background_writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/standard_streams.h"

#define SLOW_READER_MS 100U

struct background_writer {
    int fd;
    pthread_mutex_t lock; /* protects the fields below */
    pthread_cond_t changed;
    bool is_writing;
    /* put(), flush() timed out waiting for the reader. */
    bool is_stuck, is_given_up;
    size_t used;
    /* Lines, each after its length as a size_t. */
    char waiting[BACKGROUND_WRITER_BYTES];
    char taken[BACKGROUND_WRITER_BYTES]; /* used by the thread */
};

/* Ignores errors: there is no other place to report them. */
static void write_lines(const struct background_writer *writer, size_t used)
{
    size_t n;

    for (size_t at = 0; at < used; at += n) {
        memcpy(&n, writer->taken + at, sizeof(n));
        at += sizeof(n);
        (void)standard_streams_write(writer->fd, writer->taken + at, n);
    }
}

static void *run(void *opaque)
{
    struct background_writer *writer = opaque;

    pthread_mutex_lock(&writer->lock);
    for (;;) {
        size_t used = writer->used;

        writer->is_writing = used > 0;
        pthread_cond_broadcast(&writer->changed);
        if (used == 0) {
            pthread_cond_wait(&writer->changed, &writer->lock);
            continue;
        }
        memcpy(writer->taken, writer->waiting, used);
        writer->used = 0;
        pthread_mutex_unlock(&writer->lock);
        write_lines(writer, used);
        pthread_mutex_lock(&writer->lock);
        writer->is_stuck = writer->is_given_up = false;
    }
    return NULL;
}

struct background_writer *background_writer_start(int fd, struct error *err)
{
    struct background_writer *writer = calloc(1, sizeof(*writer));
    pthread_condattr_t attr;
    pthread_t thread;
    int r;

    if (!writer) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start the printing thread");
        return NULL;
    }
    writer->fd = fd;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->changed, &attr);
    pthread_condattr_destroy(&attr);
    r = pthread_create(&thread, NULL, run, writer);
    if (r != 0) {
        free(writer);
        error_set(err, ERROR_SYSTEM, r, "start the printing thread");
        return NULL;
    }
    pthread_detach(thread);
    return writer;
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

static bool fits(const struct background_writer *writer, size_t n)
{
    return n <= sizeof(writer->waiting) - sizeof(n) &&
           writer->used <= sizeof(writer->waiting) - sizeof(n) - n;
}

/* Waits once, and not again until the reader continues. */
static void wait_for_room(struct background_writer *writer, size_t n)
{
    struct timespec end = in_ms(SLOW_READER_MS);

    while (!writer->is_stuck && !fits(writer, n))
        if (pthread_cond_timedwait(&writer->changed, &writer->lock, &end) ==
            ETIMEDOUT)
            writer->is_stuck = true;
}

bool background_writer_put(struct background_writer *writer, const char *text,
                           size_t n)
{
    bool is_queued;

    pthread_mutex_lock(&writer->lock);
    wait_for_room(writer, n);
    is_queued = fits(writer, n);
    if (is_queued) {
        memcpy(writer->waiting + writer->used, &n, sizeof(n));
        memcpy(writer->waiting + writer->used + sizeof(n), text, n);
        writer->used += sizeof(n) + n;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return is_queued;
}

size_t background_writer_pending(struct background_writer *writer)
{
    size_t used;

    pthread_mutex_lock(&writer->lock);
    used = writer->used;
    pthread_mutex_unlock(&writer->lock);
    return used;
}

bool background_writer_flush(struct background_writer *writer,
                             unsigned timeout_ms)
{
    struct timespec end = in_ms(timeout_ms);
    bool is_done;
    int r = 0;

    pthread_mutex_lock(&writer->lock);
    do {
        is_done = writer->used == 0 && !writer->is_writing;
        if (!is_done && !writer->is_given_up)
            r = pthread_cond_timedwait(&writer->changed, &writer->lock, &end);
        if (r != 0)
            writer->is_given_up = true;
    } while (!is_done && !writer->is_given_up);
    pthread_mutex_unlock(&writer->lock);
    return is_done;
}
