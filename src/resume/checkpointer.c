#include "resume/checkpointer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "record/dirty_mark.h"
#include "record/finish_mark.h"

/* After this much data, save early.  Holes do not count: they cost no time to
 * make again. */
#define MANY_BYTES (UINT64_C(1) << 30)
/* Saving takes at most this part of the time, so a slow save is not repeated
 * soon; */
#define TIME_SHARE 20U
/* or a larger part, when a save is due and this much data would be lost. */
#define MUCH_BYTES (UINT64_C(256) << 20)
#define MUCH_SHARE 4U

void checkpointer_open(struct checkpointer *checkpointer, struct cw_job *job,
                       struct sink *sink, const char *state_dir,
                       uint64_t every_ns)
{
    checkpointer->every_ns = every_ns;
    checkpointer->job = job;
    checkpointer->sink = sink;
    checkpointer->path = sink_state_path(sink, state_dir);
    pthread_mutex_init(&checkpointer->lock, NULL);
}

static uint64_t data_written(const struct checkpointer *checkpointer)
{
    return progress_get(&checkpointer->job->status.progress.data_bytes);
}

static void close_sets(struct checkpointer *checkpointer)
{
    chunk_bitmap_fini(&checkpointer->snapshot);
    chunk_bitmap_fini(&checkpointer->claimed);
    digest_close(TAKE_PTR(checkpointer->recorded));
}

static int open_sets(struct checkpointer *checkpointer, struct error *err)
{
    uint64_t chunks = checkpointer->on_disk->chunks;

    close_sets(checkpointer);
    if (chunk_bitmap_init(&checkpointer->snapshot, chunks, err) < 0 ||
        chunk_bitmap_init(&checkpointer->claimed, chunks, err) < 0)
        return -1;
    return digest_open((enum digest_algorithm)checkpointer->head.digest,
                       checkpointer->head.virtual_bytes,
                       &checkpointer->recorded, err);
}

int checkpointer_bind(struct checkpointer *checkpointer,
                      const struct checkpoint_head *head, const uint8_t *key,
                      struct chunk_bitmap *on_disk, struct digest *digest,
                      struct error *err)
{
    checkpointer->on_disk = on_disk;
    checkpointer->digest = digest;
    if (!checkpointer->path)
        return 0;
    checkpointer->head = *head;
    checkpointer->has_key = key != NULL;
    if (key)
        memcpy(checkpointer->key, key, sizeof(checkpointer->key));
    checkpointer->saved_count = 0;
    checkpointer->saved_data_bytes = data_written(checkpointer);
    checkpointer->saved_ns = clock_now_ns();
    if (open_sets(checkpointer, err) < 0)
        return -1;
    return sink_identify(checkpointer->sink, checkpointer->head.sink, err);
}

static bool is_stale(struct checkpointer *checkpointer)
{
    bool is_stale;

    pthread_mutex_lock(&checkpointer->lock);
    is_stale = checkpointer->is_stale;
    pthread_mutex_unlock(&checkpointer->lock);
    return is_stale;
}

static void log_ignored(const struct checkpointer *checkpointer,
                        enum checkpoint_file_result result)
{
    const char *why = result == CHECKPOINT_FILE_DAMAGED
                          ? "is damaged or of another version"
                      : result == CHECKPOINT_FILE_OTHER_JOB
                          ? "is of another job"
                          : "is of another disk or target";

    if (result != CHECKPOINT_FILE_NONE)
        log_warn("checkpoint %s %s: ignored", checkpointer->path, why);
}

enum checkpoint_file_result checkpointer_load(struct checkpointer *checkpointer,
                                              bool *is_authentic)
{
    enum checkpoint_file_result result;

    *is_authentic = false;
    if (!checkpointer->path || is_stale(checkpointer))
        return CHECKPOINT_FILE_NONE;
    result = checkpoint_file_load(
        checkpointer->path, &checkpointer->head, &checkpointer->claimed,
        checkpointer->recorded,
        checkpointer->has_key ? checkpointer->key : NULL, is_authentic);
    if (result == CHECKPOINT_FILE_OK) {
        checkpointer->has_record = true;
        checkpointer->saved_count = chunk_bitmap_count(&checkpointer->claimed);
        /* Even if it was finished: the disk is about to change. */
        memset(checkpointer->head.root, 0, sizeof(checkpointer->head.root));
        return result;
    }
    log_ignored(checkpointer, result);
    chunk_bitmap_clear(&checkpointer->claimed);
    return result;
}

/* ---- claims ---- */

void checkpointer_trust(struct checkpointer *checkpointer)
{
    uint64_t first, count;

    for (uint64_t at = 0;
         chunk_bitmap_next(&checkpointer->claimed, at, &first, &count);
         at = first + count)
        for (uint64_t chunk = first; chunk < first + count; chunk++)
            digest_set(checkpointer->digest, chunk,
                       digest_of(checkpointer->recorded, chunk));
    chunk_bitmap_copy(checkpointer->on_disk, &checkpointer->claimed);
    chunk_bitmap_clear(&checkpointer->claimed);
}

bool checkpointer_found(struct checkpointer *checkpointer, uint64_t chunk)
{
    bool agrees = true;

    if (!checkpointer->path) {
        chunk_bitmap_add(checkpointer->on_disk, chunk, 1);
        return true;
    }
    pthread_mutex_lock(&checkpointer->lock);
    if (chunk_bitmap_has(&checkpointer->claimed, chunk))
        agrees = digest_agrees(checkpointer->digest, checkpointer->recorded,
                               chunk);
    chunk_bitmap_remove(&checkpointer->claimed, chunk, 1);
    chunk_bitmap_add(checkpointer->on_disk, chunk, 1);
    pthread_mutex_unlock(&checkpointer->lock);
    return agrees;
}

bool checkpointer_claims(const struct checkpointer *checkpointer,
                         uint64_t chunk)
{
    return checkpointer->path &&
           chunk_bitmap_has(&checkpointer->claimed, chunk);
}

bool checkpointer_claims_any(const struct checkpointer *checkpointer)
{
    return checkpointer->path && chunk_bitmap_count(&checkpointer->claimed) > 0;
}

void checkpointer_forget_claims(struct checkpointer *checkpointer)
{
    if (checkpointer->path)
        chunk_bitmap_clear(&checkpointer->claimed);
}

static bool has_any(const struct chunk_bitmap *set, uint64_t first,
                    uint64_t count)
{
    uint64_t next, n;

    return chunk_bitmap_next(set, first, &next, &n) && next < first + count;
}

/* A record that cannot be written does not fail the clone. */
static void warn_once(struct checkpointer *checkpointer,
                      const struct error *err)
{
    if (!checkpointer->is_warned)
        log_warn("no checkpoint: %s; an interrupted clone may start over",
                 err->text);
    checkpointer->is_warned = true;
}

static bool is_read_only(int errnum)
{
    return errnum == EROFS || errnum == EACCES || errnum == EPERM;
}

/* In a read-only directory the record stays, but is no longer used; that does
 * not fail the clone.  Called with the lock. */
static int remove_record(struct checkpointer *checkpointer, struct error *err)
{
    checkpointer->has_record = false;
    if (checkpoint_file_remove(checkpointer->path, err) == 0)
        return 0;
    if (!is_read_only(err->errnum))
        return -1;
    warn_once(checkpointer, err);
    checkpointer->is_stale = true;
    return 0;
}

static int strike(struct checkpointer *checkpointer, uint64_t first,
                  uint64_t count, struct error *err)
{
    if (!has_any(checkpointer->on_disk, first, count) &&
        !has_any(&checkpointer->claimed, first, count))
        return 0;
    chunk_bitmap_remove(checkpointer->on_disk, first, count);
    chunk_bitmap_remove(&checkpointer->claimed, first, count);
    chunk_bitmap_remove(&checkpointer->snapshot, first, count);
    checkpointer->strikes++;
    if (!checkpointer->has_record)
        return 0;
    return remove_record(checkpointer, err);
}

int checkpointer_strike(struct checkpointer *checkpointer, uint64_t first,
                        uint64_t count, struct error *err)
{
    int r;

    if (!checkpointer->path)
        return 0;
    pthread_mutex_lock(&checkpointer->lock);
    r = strike(checkpointer, first, count, err);
    pthread_mutex_unlock(&checkpointer->lock);
    return r;
}

/* ---- saving ---- */

/* Drops the new record if chunks were struck meanwhile: the next save has it
 * right. */
static void put_in_place(struct checkpointer *checkpointer, unsigned strikes)
{
    struct error err;

    pthread_mutex_lock(&checkpointer->lock);
    if (checkpointer->strikes != strikes)
        checkpoint_file_abandon(checkpointer->path);
    else if (checkpoint_file_commit(checkpointer->path, &err) < 0)
        warn_once(checkpointer, &err);
    else
        checkpointer->has_record = true;
    pthread_mutex_unlock(&checkpointer->lock);
}

/* Takes the chunks on disk and those still claimed.  recorded has the digests of
 * both; only a save changes it. */
static void take_snapshot(struct checkpointer *checkpointer)
{
    uint64_t first, count;

    for (uint64_t at = 0;
         chunk_bitmap_next(checkpointer->on_disk, at, &first, &count);
         at = first + count)
        for (uint64_t chunk = first; chunk < first + count; chunk++)
            digest_set(checkpointer->recorded, chunk,
                       digest_of(checkpointer->digest, chunk));
    chunk_bitmap_copy(&checkpointer->snapshot, checkpointer->on_disk);
    for (uint64_t at = 0;
         chunk_bitmap_next(&checkpointer->claimed, at, &first, &count);
         at = first + count)
        chunk_bitmap_add(&checkpointer->snapshot, first, count);
}

/* -1: the flush failed, so the disk cannot be used any more. */
static int save(void *arg, struct error *err)
{
    struct checkpointer *checkpointer = arg;
    uint64_t start_ns = clock_now_ns();
    struct error why;
    unsigned strikes;

    pthread_mutex_lock(&checkpointer->lock);
    take_snapshot(checkpointer);
    strikes = checkpointer->strikes;
    pthread_mutex_unlock(&checkpointer->lock);
    checkpointer->saved_count = chunk_bitmap_count(&checkpointer->snapshot);
    checkpointer->saved_data_bytes = data_written(checkpointer);

    if (sink_flush(checkpointer->sink, err) < 0)
        return -1;
    sink_stamp(checkpointer->sink, checkpointer->head.stamp);
    if (checkpoint_file_write(checkpointer->path, &checkpointer->head,
                              &checkpointer->snapshot, checkpointer->recorded,
                              checkpointer->has_key ? checkpointer->key : NULL,
                              &why) < 0)
        warn_once(checkpointer, &why);
    else
        put_in_place(checkpointer, strikes);
    checkpointer->saved_ns = clock_now_ns();
    checkpointer->took_ns = checkpointer->saved_ns - start_ns;
    return 0;
}

/* True if the record is removed or has another number of chunks. */
static bool is_new(struct checkpointer *checkpointer)
{
    uint64_t known;
    bool has_record;

    if (!checkpointer->on_disk)
        return false;
    pthread_mutex_lock(&checkpointer->lock);
    has_record = checkpointer->has_record;
    known = chunk_bitmap_count(checkpointer->on_disk) +
            chunk_bitmap_count(&checkpointer->claimed);
    pthread_mutex_unlock(&checkpointer->lock);
    return known > 0 && (!has_record || known != checkpointer->saved_count);
}

static bool is_due(struct checkpointer *checkpointer)
{
    uint64_t since_ns = clock_now_ns() - checkpointer->saved_ns;
    uint64_t fresh_bytes = data_written(checkpointer) -
                           checkpointer->saved_data_bytes;
    bool is_time = since_ns >= checkpointer->every_ns;

    if (!is_new(checkpointer) || (!is_time && fresh_bytes < MANY_BYTES))
        return false;
    if (is_time && fresh_bytes >= MUCH_BYTES)
        return since_ns >= checkpointer->took_ns * MUCH_SHARE;
    return since_ns >= checkpointer->took_ns * TIME_SHARE;
}

int checkpointer_tick(struct checkpointer *checkpointer, struct error *err)
{
    if (!checkpointer->path)
        return 0;
    if (checkpointer->task.running)
        return task_is_done(&checkpointer->task)
                   ? task_join(&checkpointer->task, err)
                   : 0;
    if (!is_due(checkpointer))
        return 0;
    return task_start(&checkpointer->task, checkpointer->job, save,
                      checkpointer, err);
}

static int save_now(struct checkpointer *checkpointer, struct error *err)
{
    if (task_start(&checkpointer->task, checkpointer->job, save, checkpointer,
                   err) < 0)
        return -1;
    return task_join(&checkpointer->task, err);
}

int checkpointer_save(struct checkpointer *checkpointer, struct error *err)
{
    if (!checkpointer->path)
        return 0;
    if (task_join(&checkpointer->task, err) < 0)
        return -1;
    return is_new(checkpointer) ? save_now(checkpointer, err) : 0;
}

int checkpointer_save_finished(struct checkpointer *checkpointer,
                               const uint8_t *root, struct error *err)
{
    if (!checkpointer->path)
        return 0;
    /* --delta has replaced the bound file. */
    if (task_join(&checkpointer->task, err) < 0 ||
        sink_identify(checkpointer->sink, checkpointer->head.sink, err) < 0)
        return -1;
    memcpy(checkpointer->head.root, root, sizeof(checkpointer->head.root));
    checkpointer->head.finished_unix_ns = clock_unix_ns();
    return save_now(checkpointer, err);
}

int checkpointer_wait(struct checkpointer *checkpointer, struct error *err)
{
    return task_join(&checkpointer->task, err);
}

int checkpointer_remove(struct checkpointer *checkpointer, struct error *err)
{
    struct error flush;
    int r;

    if (!checkpointer->path)
        return 0;
    if (task_join(&checkpointer->task, &flush) < 0)
        log_debug("%s", flush.text); /* the record is removed anyway */
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->saved_count = 0;
    r = remove_record(checkpointer, err);
    pthread_mutex_unlock(&checkpointer->lock);
    if (r == 0)
        finish_mark_clear(checkpointer->path);
    return r;
}

int checkpointer_mark_dirty(struct checkpointer *checkpointer,
                            struct error *err)
{
    if (!checkpointer->path)
        return 0;
    if (dirty_mark_is_set(checkpointer->path))
        log_info("an earlier delta did not end well: %s holds a mixture of two "
                 "states",
                 sink_content_path(checkpointer->sink));
    return dirty_mark_set(checkpointer->path, checkpointer->head.job, err);
}

int checkpointer_retire(struct checkpointer *checkpointer, struct error *err)
{
    if (checkpointer->path)
        dirty_mark_clear(checkpointer->path);
    if (checkpointer->path && checkpoint_is_finished(&checkpointer->head))
        finish_mark_set(checkpointer->path, &checkpointer->head);
    return checkpointer_remove(checkpointer, err);
}

void checkpointer_close(struct checkpointer *checkpointer)
{
    struct error ignored;

    if (!checkpointer->job)
        return;
    task_join(&checkpointer->task, &ignored);
    close_sets(checkpointer);
    pthread_mutex_destroy(&checkpointer->lock);
    free(checkpointer->path);
}
