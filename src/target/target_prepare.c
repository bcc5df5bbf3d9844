/*
 * target_prepare.c - how the disk of a target begins:
 *
 *   a record of this job           -> what it claims is read again, or trusted
 *   --delta, --resume=compare,
 *   a partial file, or a device
 *   that is recognized             -> all that is there is read
 *   anything else                  -> made new, where that is allowed
 *
 * A record says where to look.  Only the bytes on the disk are a proof.
 */
#include "target/target.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "target/target_finished.h"
#include "target/target_recognize.h"
#include "target/target_scan.h"
#include "target/target_trust.h"

_Static_assert(sizeof(((struct target_session *)0)->name) ==
                   CHECKPOINT_PEER_BYTES,
               "a name fits");

static int bind_keeper(struct target *t, struct error *err)
{
    const struct message_hello *hello = &t->session.hello;
    struct checkpoint_head head = {
        .chunk_bytes = hello->chunk_bytes,
        .digest = hello->digest,
        .virtual_bytes = hello->virtual_bytes,
    };

    memcpy(head.job, hello->job, sizeof(head.job));
    if (!t->is_paired) /* the next code has another name */
        memcpy(head.peer, t->session.name, sizeof(head.peer));
    return checkpointer_bind(&t->checkpointer, &head,
                             t->session.has_record_key ? t->session.record_key
                                                       : NULL,
                             &t->plan.on_disk, t->job.status.digest, err);
}

/* ---- what is there ---- */

/* Is there to be an older copy, which is changed? */
static bool is_delta(const struct target *t)
{
    return t->options.delta || t->session.hello.asks_delta;
}

static bool wants_record(const struct target *t)
{
    return !is_delta(t) && (t->options.resume == CW_RESUME_AUTO ||
                            t->options.resume == CW_RESUME_TRUST);
}

/* Is it a device that the user has not given us? */
static bool needs_consent(const struct target *t)
{
    return t->options.only_resume && sink_is_device(t->sink);
}

/* A device that is too small is refused for its size, when it is prepared. */
static bool holds_disk(const struct target *t)
{
    uint64_t bytes;
    struct error ignored;

    return sink_available(t->sink, &bytes, &ignored) == 0 &&
           t->session.hello.virtual_bytes <= bytes;
}

/* Where the user has not agreed to lose what is on a device, and where it may
 * be worth comparing. */
static bool wants_samples(const struct target *t)
{
    return sink_is_device(t->sink) && t->options.resume != CW_RESUME_OFF &&
           !is_delta(t) &&
           (needs_consent(t) || t->record != CHECKPOINT_FILE_OK) &&
           holds_disk(t);
}

int target_examine(void *arg, struct error *err)
{
    struct target *t = arg;

    t->record = CHECKPOINT_FILE_NONE;
    t->is_record_authentic = false;
    target_recognize_end(t);
    sink_set_source(t->sink, t->session.hello.stored_bytes,
                    t->session.hello.file_mode);
    if (target_tree_set(t, err) < 0 ||
        sink_check_room(t->sink, t->session.hello.virtual_bytes, err) < 0 ||
        target_open_tables(t, &t->session.hello, err) < 0 ||
        bind_keeper(t, err) < 0)
        return -1;
    if (target_trust_is_asked(t)) /* before anything is done to the disk */
        sink_stamp(t->sink, t->stamp);
    if (wants_record(t))
        t->record = checkpointer_load(&t->checkpointer,
                                      &t->is_record_authentic);
    return wants_samples(t) ? target_recognize_read(t, err) : 0;
}

/* ---- may it be changed? ---- */

static int refuse_device(const struct target *t, struct error *err)
{
    char contents[160];

    if (t->record == CHECKPOINT_FILE_OTHER_JOB)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s holds the unfinished clone of another job: say "
                         "--yes (CLONEWIRE_YES=1) to overwrite it",
                         t->options.destination);
    sink_describe(t->sink, contents, sizeof(contents));
    return error_set(err, ERROR_REFUSED, 0,
                     "%s holds %s, which is not a clone that this source "
                     "began: say --yes (CLONEWIRE_YES=1) to overwrite it",
                     t->options.destination, contents);
}

/* The device holds no data. */
static bool is_blank(const struct target *t)
{
    char ignored[160];

    if (!sink_is_device(t->sink))
        return false;
    return t->recognition ? target_recognize_judge(t) == TARGET_RECOGNIZED_BLANK
                          : sink_describe(t->sink, ignored, sizeof(ignored));
}

static bool is_own_copy(const struct target *t)
{
    return t->recognition && t->record != CHECKPOINT_FILE_OTHER_JOB &&
           target_recognize_judge(t) == TARGET_RECOGNIZED_OURS;
}

/* ERROR_REFUSED: such a device holds what is not this job's. */
static int check_consent(const struct target *t, struct error *err)
{
    if (!needs_consent(t) || is_blank(t) || is_own_copy(t))
        return 0;
    return refuse_device(t, err);
}

int target_check_fresh(const struct target *t, struct error *err)
{
    if (t->plan.is_finished)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s exists; --overwrite would replace it",
                         t->options.destination);
    return needs_consent(t) && !is_blank(t) ? refuse_device(t, err) : 0;
}

/* ---- going on ---- */

/* A disk that has its name already has all its chunks, or is another. */
static bool is_enough(const struct target *t)
{
    return !t->plan.is_finished ||
           chunk_bitmap_count(&t->checkpointer.claimed) ==
               t->plan.on_disk.chunks;
}

/* Has the device been made again since? */
static bool is_new(const struct target *t)
{
    return t->recognition && is_blank(t);
}

/* What the record claims is read again, or believed. */
static int take_claims(struct target *t, struct error *err)
{
    uint64_t claimed = chunk_bitmap_count(&t->checkpointer.claimed);
    int r = target_trust(t, err);

    if (r < 0)
        return -1;
    log_info("going on with what an earlier run left: %" PRIu64 " of %" PRIu64
             " chunks%s",
             claimed, t->plan.on_disk.chunks,
             r > 0 ? ", which are not read again" : ", which are read again");
    t->plan.is_surveyed = r == 0;
    if (r > 0) {
        memcpy(t->on_disk_of, t->checkpointer.head.source,
               sizeof(t->on_disk_of));
        chunk_bitmap_copy(&t->plan.unverified, &t->checkpointer.claimed);
        checkpointer_trust(&t->checkpointer);
        return 0;
    }
    t->plan.has_hint = t->session.hello.takes_missing;
    chunk_bitmap_copy(&t->plan.hint, &t->checkpointer.claimed);
    return 0;
}

/* Continues the disk that an earlier run of this job began.  1: done so;
 * 0: there is none, or it cannot be. */
static int take_up(struct target *t, struct error *err)
{
    struct error why;

    if (t->record != CHECKPOINT_FILE_OK || !is_enough(t) || is_new(t)) {
        checkpointer_forget_claims(&t->checkpointer);
        return 0;
    }
    if (sink_resume(t->sink, t->session.hello.virtual_bytes,
                    t->checkpointer.head.disk_bytes, &why) == 0)
        return take_claims(t, err) < 0 ? -1 : 1;
    log_warn("%s; the checkpoint does not help", why.text);
    checkpointer_forget_claims(&t->checkpointer);
    return 0;
}

/* Is there something that may be this disk, or an older copy of it? */
static bool is_worth_comparing(const struct target *t)
{
    if (is_delta(t) || t->options.resume == CW_RESUME_COMPARE)
        return true;
    if (t->options.resume == CW_RESUME_OFF ||
        t->record == CHECKPOINT_FILE_OTHER_JOB)
        return false;
    if (!sink_is_device(t->sink))
        return true; /* if there is a partial file */
    return t->recognition && (is_own_copy(t) || target_recognize_judge(t) ==
                                                    TARGET_RECOGNIZED_PART);
}

/* A device has no second place for the older copy. */
static void warn_of_device(struct target *t)
{
    struct error why;

    if (!is_delta(t) || !sink_is_device(t->sink))
        return;
    log_warn("%s is changed in place, without a way back: if this clone fails, "
             "it holds neither the older copy nor the new one%s",
             t->options.destination,
             t->checkpointer.path ? ""
                                  : " (without --state-dir, nothing marks it)");
    if (checkpointer_mark_dirty(&t->checkpointer, &why) < 0)
        log_warn("%s: an interrupted delta will not be marked", why.text);
}

/*
 * Continues with what is there: chunks equal to the source's are not sent.
 * As take_up().
 */
static int adopt_disk(struct target *t, struct error *err)
{
    int r;

    if (!is_worth_comparing(t))
        return 0;
    if (checkpointer_remove(&t->checkpointer, err) < 0)
        return -1;
    r = sink_adopt(t->sink, t->session.hello.virtual_bytes, is_delta(t), err);
    if (r <= 0)
        return r;
    warn_of_device(t);
    log_info("comparing what %s holds with the source", t->options.destination);
    t->plan.is_surveyed = true;
    t->plan.is_guarded = needs_consent(t) && !is_blank(t);
    return 1;
}

/* Makes room for the disk of the source that has come. */
static int make_disk(struct target *t, struct error *err)
{
    uint64_t virtual_bytes = t->session.hello.virtual_bytes;
    struct sink_report report;
    int taken;

    t->plan.is_surveyed = t->plan.has_hint = t->plan.is_guarded = false;
    if (check_consent(t, err) < 0)
        return -1;
    taken = take_up(t, err);
    if (taken == 0 && !t->plan.is_finished)
        taken = adopt_disk(t, err);
    if (taken == 0 && target_check_fresh(t, err) < 0)
        return -1;
    if (taken < 0)
        return -1;
    if (taken == 0 && (checkpointer_remove(&t->checkpointer, err) < 0 ||
                       sink_prepare(t->sink, virtual_bytes, err) < 0))
        return -1;
    sink_get_report(t->sink, &report);
    t->checkpointer.head.disk_bytes = report.disk_bytes;
    t->plan.is_again = taken > 0;
    atomic_store(&t->plan.is_coarse, false);
    if (!t->plan.is_surveyed &&
        leaf_cache_open(&t->plan.leaves, digest_each(t->job.status.digest),
                        false, err) < 0)
        return -1;
    t->plan.virtual_bytes = virtual_bytes;
    t->disk_of = t->session.hello;
    memcpy(t->disk_of_name, t->session.name, sizeof(t->disk_of_name));
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

static int resume_disk(struct target *t, struct error *err)
{
    if (target_finished_confirm(t, err) < 0)
        return -1;
    t->plan.is_again = true;
    if (t->is_committed || t->is_confirmed)
        t->plan.is_finished = true;
    target_scan_again(t);
    if (chunk_bitmap_count(&t->plan.on_disk) == t->plan.on_disk.chunks)
        t->plan.is_surveyed = false; /* all is known of it */
    sink_reuse(t->sink);
    chunk_bitmap_clear(&t->plan.came);
    return 0;
}

int target_prepare(void *arg, struct error *err)
{
    struct target *t = arg;
    int r = target_is_same_job(t, &t->session.hello, t->session.name)
                ? resume_disk(t, err)
                : make_disk(t, err);

    if (r == 0)
        note_source(t);
    return r;
}
