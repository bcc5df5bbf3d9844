#include "resume/checkpointer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define DEFAULT_NS (5 * CLOCK_SECOND_NS)
/* So much data written is worth a save before its time.  Holes are not:
 * what cost no time to make needs no keeping. */
#define MANY_BYTES (UINT64_C(1) << 30)
/* A save that took long is not repeated soon: one part in so many of the
 * time goes into saving. */
#define TIME_SHARE 20U
/* A larger one when it is time and so much would be lost. */
#define MUCH_BYTES (UINT64_C(256) << 20)
#define MUCH_SHARE 4U

void checkpointer_open(struct checkpointer *keeper, struct cw_job *job,
                       struct sink *sink, const char *state_dir,
                       uint64_t every_ns)
{
    keeper->every_ns = every_ns > 0 ? every_ns : DEFAULT_NS;
    keeper->job = job;
    keeper->sink = sink;
    keeper->path = sink_state_path(sink, state_dir);
    pthread_mutex_init(&keeper->lock, NULL);
}

static uint64_t data_written(const struct checkpointer *keeper)
{
    return progress_get(&keeper->job->progress.data_bytes);
}

int checkpointer_bind(struct checkpointer *keeper,
                      const struct checkpoint_head *head,
                      struct chunk_bitmap *held, struct digest *digest,
                      struct error *err)
{
    if (!keeper->path)
        return 0;
    keeper->head = *head;
    keeper->held = held;
    keeper->digest = digest;
    keeper->saved_count = 0;
    keeper->saved_data_bytes = data_written(keeper);
    keeper->saved_ns = clock_now_ns();
    chunk_bitmap_fini(&keeper->snapshot);
    if (chunk_bitmap_init(&keeper->snapshot, held->chunks, err) < 0)
        return -1;
    return sink_identify(keeper->sink, keeper->head.sink, err);
}

bool checkpointer_load(struct checkpointer *keeper)
{
    if (!keeper->path)
        return false;
    switch (checkpoint_file_load(keeper->path, &keeper->head, keeper->held,
                                 keeper->digest)) {
    case CHECKPOINT_FILE_OK:
        keeper->has_record = true;
        keeper->saved_count = chunk_bitmap_count(keeper->held);
        return true;
    case CHECKPOINT_FILE_DAMAGED:
        log_warn("checkpoint %s is torn or of another version: ignored",
                 keeper->path);
        return false;
    case CHECKPOINT_FILE_FOREIGN:
        log_warn("checkpoint %s is of another job, disk or target: ignored",
                 keeper->path);
        return false;
    case CHECKPOINT_FILE_NONE: return false;
    }
    return false;
}

static bool any_held(const struct checkpointer *keeper, uint64_t first,
                     uint64_t count)
{
    uint64_t next, n;

    return chunk_bitmap_next(keeper->held, first, &next, &n) &&
           next < first + count;
}

static int strike(struct checkpointer *keeper, uint64_t first, uint64_t count,
                  struct error *err)
{
    if (!any_held(keeper, first, count))
        return 0;
    chunk_bitmap_remove(keeper->held, first, count);
    chunk_bitmap_remove(&keeper->snapshot, first, count);
    keeper->strikes++;
    if (!keeper->has_record)
        return 0;
    keeper->has_record = false;
    return checkpoint_file_remove(keeper->path, err);
}

int checkpointer_strike(struct checkpointer *keeper, uint64_t first,
                        uint64_t count, struct error *err)
{
    int r;

    if (!keeper->path)
        return 0;
    pthread_mutex_lock(&keeper->lock);
    r = strike(keeper, first, count, err);
    pthread_mutex_unlock(&keeper->lock);
    return r;
}

/* ---- saving ---- */

/* A record that cannot be written is a pity, not a failure. */
static void warn(struct checkpointer *keeper, const struct error *err)
{
    if (!keeper->is_warned)
        log_warn("no checkpoint: %s; an interrupted clone may begin anew",
                 err->text);
    keeper->is_warned = true;
}

/* Something was struck out meanwhile: the next save will be right. */
static void put_in_place(struct checkpointer *keeper, unsigned strikes)
{
    struct error err;

    pthread_mutex_lock(&keeper->lock);
    if (keeper->strikes != strikes)
        checkpoint_file_abandon(keeper->path);
    else if (checkpoint_file_commit(keeper->path, &err) < 0)
        warn(keeper, &err);
    else
        keeper->has_record = true;
    pthread_mutex_unlock(&keeper->lock);
}

/* -1: the flush failed, which is the end of the disk. */
static int save(void *arg, struct error *err)
{
    struct checkpointer *keeper = arg;
    uint64_t begun_ns = clock_now_ns();
    struct error why;
    unsigned strikes;

    pthread_mutex_lock(&keeper->lock);
    chunk_bitmap_copy(&keeper->snapshot, keeper->held);
    strikes = keeper->strikes;
    pthread_mutex_unlock(&keeper->lock);
    keeper->saved_count = chunk_bitmap_count(&keeper->snapshot);
    keeper->saved_data_bytes = data_written(keeper);

    if (sink_flush(keeper->sink, err) < 0)
        return -1;
    if (checkpoint_file_write(keeper->path, &keeper->head, &keeper->snapshot,
                              keeper->digest, &keeper->lock, &why) < 0)
        warn(keeper, &why);
    else
        put_in_place(keeper, strikes);
    keeper->saved_ns = clock_now_ns();
    keeper->took_ns = keeper->saved_ns - begun_ns;
    return 0;
}

/* Also where as many chunks are held, but others, as the record went. */
static bool is_new(struct checkpointer *keeper)
{
    bool has_record;

    if (!keeper->held || chunk_bitmap_count(keeper->held) == 0)
        return false;
    pthread_mutex_lock(&keeper->lock);
    has_record = keeper->has_record;
    pthread_mutex_unlock(&keeper->lock);
    return !has_record ||
           chunk_bitmap_count(keeper->held) != keeper->saved_count;
}

static bool is_due(struct checkpointer *keeper)
{
    uint64_t since_ns = clock_now_ns() - keeper->saved_ns;
    uint64_t fresh_bytes = data_written(keeper) - keeper->saved_data_bytes;
    bool is_time = since_ns >= keeper->every_ns;

    if (!is_new(keeper) || (!is_time && fresh_bytes < MANY_BYTES))
        return false;
    if (is_time && fresh_bytes >= MUCH_BYTES)
        return since_ns >= keeper->took_ns * MUCH_SHARE;
    return since_ns >= keeper->took_ns * TIME_SHARE;
}

int checkpointer_tick(struct checkpointer *keeper, struct error *err)
{
    if (!keeper->path)
        return 0;
    if (keeper->errand.running)
        return task_is_done(&keeper->errand) ? task_join(&keeper->errand, err)
                                             : 0;
    if (!is_due(keeper))
        return 0;
    return task_start(&keeper->errand, keeper->job, save, keeper, err);
}

int checkpointer_save(struct checkpointer *keeper, struct error *err)
{
    if (!keeper->path)
        return 0;
    if (task_join(&keeper->errand, err) < 0)
        return -1;
    if (!is_new(keeper))
        return 0;
    if (task_start(&keeper->errand, keeper->job, save, keeper, err) < 0)
        return -1;
    return task_join(&keeper->errand, err);
}

int checkpointer_wait(struct checkpointer *keeper, struct error *err)
{
    return task_join(&keeper->errand, err);
}

int checkpointer_remove(struct checkpointer *keeper, struct error *err)
{
    struct error flush;
    int r;

    if (!keeper->path)
        return 0;
    if (task_join(&keeper->errand, &flush) < 0)
        log_debug("%s", flush.text); /* the disk is not the record's any more */
    pthread_mutex_lock(&keeper->lock);
    keeper->has_record = false;
    keeper->saved_count = 0;
    r = checkpoint_file_remove(keeper->path, err);
    pthread_mutex_unlock(&keeper->lock);
    return r;
}

void checkpointer_close(struct checkpointer *keeper)
{
    struct error ignored;

    if (!keeper->job)
        return;
    task_join(&keeper->errand, &ignored);
    chunk_bitmap_fini(&keeper->snapshot);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper->path);
}
