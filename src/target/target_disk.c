/*
 * target_disk.c - the disk of a target before and after the copying: made
 * anew or gone on with, and at the end flushed, compared and named.
 */
#include "target/target.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "target/target_finished.h"
#include "target/target_scan.h"
#include "transfer/readback.h"

/* A disk that forgets what it was given more often than this is broken. */
#define READBACKS_MAX 3U

/* ---- before ---- */

static int bind_keeper(struct target *t, struct error *err)
{
    const struct message_hello *hello = &t->session.hello;
    struct checkpoint_head head = {
        .chunk_bytes = hello->chunk_bytes,
        .digest = hello->digest,
        .virtual_bytes = hello->virtual_bytes,
    };

    memcpy(head.job, hello->job, sizeof(head.job));
    return checkpointer_bind(&t->checkpointer, &head, &t->plan.on_disk,
                             t->job.status.digest, err);
}

/* Is whatever is there to be looked at, or only what a checkpoint names? */
static bool wants_survey(const struct target *t)
{
    return t->options.delta || t->session.hello.asks_delta ||
           t->options.resume == CW_RESUME_COMPARE;
}

/* A disk that has its name already has all its chunks, or is another. */
static bool is_enough(const struct target *t)
{
    return !t->plan.is_finished ||
           chunk_bitmap_count(&t->plan.on_disk) == t->plan.on_disk.chunks;
}

/* Goes on with the disk that an earlier run of this job began.  1: done so;
 * 0: there is none, or it cannot be. */
static int take_up(struct target *t, struct error *err)
{
    uint64_t chunks = t->plan.on_disk.chunks;
    struct error why;

    if (t->options.resume != CW_RESUME_AUTO &&
        t->options.resume != CW_RESUME_TRUST)
        return 0;
    if (checkpointer_load(&t->checkpointer) && is_enough(t)) {
        memcpy(t->on_disk_of, t->checkpointer.head.source,
               sizeof(t->on_disk_of));
        if (sink_resume(t->sink, t->session.hello.virtual_bytes,
                        t->checkpointer.head.disk_bytes, &why) == 0) {
            log_info("going on with what an earlier run left: %" PRIu64
                     " of %" PRIu64 " chunks are held",
                     chunk_bitmap_count(&t->plan.on_disk), chunks);
            return 1;
        }
        log_warn("%s; beginning anew", why.text);
    }
    /* Whatever was loaded goes. */
    return target_open_tables(t, &t->session.hello, err) < 0 ||
                   bind_keeper(t, err) < 0
               ? -1
               : 0;
}

/*
 * Goes on with whatever is there (--delta, --resume=compare): what turns out
 * to be the source's is not sent.  As take_up().
 */
static int take_over(struct target *t, struct error *err)
{
    bool older = t->options.delta || t->session.hello.asks_delta;

    if (!wants_survey(t))
        return 0;
    if (checkpointer_remove(&t->checkpointer, err) < 0)
        return -1;
    return sink_adopt(t->sink, t->session.hello.virtual_bytes, older, err);
}

int target_check_fresh(const struct target *t, struct error *err)
{
    if (t->plan.is_finished)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s exists; --overwrite would replace it",
                         t->options.destination);
    if (!t->options.only_resume)
        return 0;
    return error_set(err, ERROR_REFUSED, 0,
                     "%s holds the unfinished clone of another job: say --yes "
                     "(CLONEWIRE_YES=1) to overwrite it",
                     t->options.destination);
}

/* Makes room for the disk of the source that has come. */
static int make_disk(struct target *t, struct error *err)
{
    uint64_t virtual_bytes = t->session.hello.virtual_bytes;
    struct sink_report report;
    int taken;

    if (target_open_tables(t, &t->session.hello, err) < 0 ||
        bind_keeper(t, err) < 0)
        return -1;
    taken = take_up(t, err);
    if (taken == 0)
        taken = target_check_fresh(t, err) < 0 ? -1 : take_over(t, err);
    if (taken < 0)
        return -1;
    if (taken == 0 && (checkpointer_remove(&t->checkpointer, err) < 0 ||
                       sink_prepare(t->sink, virtual_bytes, err) < 0))
        return -1;
    sink_get_report(t->sink, &report);
    t->checkpointer.head.disk_bytes = report.disk_bytes;
    t->plan.is_again = taken > 0;
    atomic_store(&t->plan.is_coarse, false);
    t->plan.is_surveyed = taken > 0 && wants_survey(t) && !t->plan.is_finished;
    if (!t->plan.is_surveyed &&
        leaf_cache_open(&t->plan.leaves, digest_each(t->job.status.digest),
                        false, err) < 0)
        return -1;
    t->plan.virtual_bytes = virtual_bytes;
    t->disk_of = t->session.hello;
    t->has_disk = true;
    return 0;
}

_Static_assert(MESSAGE_IDENTITY_BYTES <= CHECKPOINT_SOURCE_BYTES, "it fits");

/*
 * From now on chunks come of the image that HELLO identified.  Where chunks
 * of another are held, or may be found, what is held is of none.  No save is
 * under way.
 */
static void note_source(struct target *t)
{
    const struct message_hello *hello = &t->session.hello;
    size_t len = sizeof(t->on_disk_of);

    if (!t->plan.is_surveyed && chunk_bitmap_count(&t->plan.on_disk) == 0)
        memcpy(t->on_disk_of, hello->identity, len); /* 0: has none */
    else if (t->plan.is_surveyed ||
             memcmp(t->on_disk_of, hello->identity, len) != 0)
        memset(t->on_disk_of, 0, len);
    memset(t->checkpointer.head.source, 0, sizeof(t->checkpointer.head.source));
    memcpy(t->checkpointer.head.source, t->on_disk_of, len);
}

static int go_on(struct target *t, struct error *err)
{
    if (target_finished_confirm(t, err) < 0)
        return -1;
    t->plan.is_again = true;
    if (t->is_committed || t->is_confirmed)
        t->plan.is_finished = true;
    target_scan_again(t);
    if (t->plan.is_finished)
        t->plan.is_surveyed = false; /* all is known of it */
    sink_reuse(t->sink);
    chunk_bitmap_clear(&t->plan.came);
    return 0;
}

int target_prepare(void *arg, struct error *err)
{
    struct target *t = arg;
    int r = target_is_same_job(t, &t->session.hello) ? go_on(t, err)
                                                     : make_disk(t, err);

    if (r == 0)
        note_source(t);
    return r;
}

/* ---- after ---- */

/* What is held is wrong in some place: nobody may go on from it. */
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
    struct digest *back;
    uint64_t differ = 0;
    int r = readback_read(&t->job, t->sink,
                          (enum digest_algorithm)t->disk_of.digest,
                          t->plan.virtual_bytes, &back, err);

    if (r == 0)
        differ = readback_compare(&t->job, back, t->options.destination,
                                  t->plan.on_disk.chunks, strike, t);
    digest_close(back);
    if (r < 0 || differ == 0)
        return r;
    return error_set(
        err, ++t->readbacks < READBACKS_MAX ? ERROR_TEMPORARY : ERROR_MISMATCH,
        0, "%" PRIu64 " chunks of %s read back as something else", differ,
        t->options.destination);
}

int target_flush(void *arg, struct error *err)
{
    struct target *t = arg;

    if (checkpointer_wait(&t->checkpointer, err) < 0)
        return -1;
    return t->plan.is_finished ? 0 : sink_finish(t->sink, err);
}

/* The record stays until the source knows: killed in between, we can tell it
 * when both are started again. */
static int commit(struct target *t, struct error *err)
{
    return checkpointer_save_finished(&t->checkpointer, t->root, err) < 0
               ? -1
               : sink_commit(t->sink, err);
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
    t->is_committed = true;
    return 0;
}
