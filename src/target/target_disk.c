/*
 * target_disk.c - the disk of a target after the copying: flushed, compared
 * and named.  target_prepare.c is about its beginning.
 */
#include "target/target.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "transfer/readback.h"

/* A disk that forgets what it was given more often than this is broken. */
#define READBACKS_MAX 3U

/* The disk is wrong in some place: no session may continue from it. */
static int refuse_root(struct target *t, struct error *err)
{
    struct error why;

    if (checkpointer_remove(&t->checkpointer, &why) < 0)
        log_error("%s", why.text);
    return error_set(err, ERROR_MISMATCH, 0,
                     "digests differ: what was written is not what was read");
}

/* A chunk that reads back as something else is held no longer. */
static void strike(void *opaque, uint64_t chunk)
{
    struct target *t = opaque;
    struct error err;

    if (checkpointer_strike(&t->checkpointer, chunk, 1, &err) < 0)
        log_error("%s", err.text);
    chunk_bitmap_remove(&t->plan.on_disk, chunk, 1);
}

/* What differs is sent again in another session, a few times. */
static int read_back(struct target *t, struct error *err)
{
    struct readback what = {
        .sink = t->sink,
        .path = t->options.destination,
        .algorithm = (enum digest_algorithm)t->disk_of.digest,
        .virtual_bytes = t->plan.virtual_bytes,
        .each = strike,
        .opaque = t,
    };

    if (readback_verify(&t->job, &what, err) == 0)
        return 0;
    if (err->kind == ERROR_MISMATCH && ++t->readbacks < READBACKS_MAX)
        err->kind = ERROR_TEMPORARY;
    return -1;
}

int target_flush(void *arg, struct error *err)
{
    struct target *t = arg;

    if (checkpointer_wait(&t->checkpointer, err) < 0)
        return -1;
    return t->plan.is_finished ? 0 : sink_finish(t->sink, err);
}

/* The record stays until the source knows: killed in between, we can tell it
 * when both are started again.  Before the last pass there is nothing to tell:
 * a restarted target must not end well with that copy. */
static int commit(struct target *t, struct error *err)
{
    int r = t->session.hello.next_pass_s > 0
                ? checkpointer_remove(&t->checkpointer, err)
                : checkpointer_save_finished(&t->checkpointer, t->root, err);

    return r < 0 ? -1 : sink_commit(t->sink, err);
}

/* Bytes that stay because a record names them, without being read. */
static void count_unverified(struct target *t)
{
    const struct chunk_bitmap *set = &t->plan.unverified;
    uint64_t first, count, bytes = 0;

    for (uint64_t at = 0; chunk_bitmap_next(set, at, &first, &count);
         at = first + count)
        bytes += (count - 1) * CHUNK_BYTES +
                 chunk_grid_length(t->plan.virtual_bytes, first + count - 1);
    atomic_store(&t->job.status.progress.unverified_bytes,
                 t->options.verify_readback ? 0 : bytes);
}

/* Compare, then the final name: a disk that is not equal never gets it. */
int target_verify(void *arg, struct error *err)
{
    struct target *t = arg;

    digest_root(t->job.status.digest, t->root);
    if (memcmp(t->root, t->session.source_root, sizeof(t->root)) != 0)
        return refuse_root(t, err);
    if (t->options.verify_readback && read_back(t, err) < 0)
        return -1;
    if (!t->plan.is_finished && commit(t, err) < 0)
        return -1;
    count_unverified(t);
    t->is_committed = true;
    return 0;
}
