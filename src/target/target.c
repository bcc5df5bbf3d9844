/*
 * target.c - the target process: opens the listener, serves one source after
 * the other until a disk is whole.
 *
 * A session that fails leaves what came with it: its source may come back
 * and send the rest.  For as long as that is likely (--retry-for), others
 * get an answer that says to wait.
 */
#include "target/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "job/credentials.h"
#include "job/job_status.h"
#include "plan/chunk_grid.h"
#include "resume/resume_probe.h"
#include "target/target_finished.h"
#include "target/target_recognize.h"
#include "transfer/disk_options.h"

#define DISK_MAX_BYTES (UINT64_C(1) << 50)

/* ---- waiting for a source ---- */

/*
 * Disks beyond any volume are the mistake of one source, which does not end the
 * target, and no reason to make tables: 17 bytes for each MiB.  ERROR_NO_SPACE,
 * with the numbers of the volume where that is too small anyway.
 */
static int check_size(const struct target *t, uint64_t virtual_bytes,
                      struct error *err)
{
    if (virtual_bytes <= DISK_MAX_BYTES)
        return 0;
    if (sink_check_room(t->sink, virtual_bytes, err) < 0)
        return -1;
    return error_set(err, ERROR_NO_SPACE, 0,
                     "disk of %" PRIu64 " bytes does not fit: a target takes "
                     "disks of up to %" PRIu64 " bytes",
                     virtual_bytes, DISK_MAX_BYTES);
}

static int check_hello(const struct message_hello *hello, struct error *err)
{
    unsigned version = hello->tree_bytes > 0 ? MESSAGE_VERSION_TREE
                                             : MESSAGE_VERSION;

    if (hello->version != version)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "source speaks version %u of the protocol, this is "
                         "version %u",
                         hello->version, version);
    if (hello->tree_bytes > MESSAGE_TREE_BYTES)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "the index of the directory has %" PRIu64
                         " bytes, more than %" PRIu64,
                         hello->tree_bytes, MESSAGE_TREE_BYTES);
    if (hello->chunk_bytes != CHUNK_BYTES)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "source uses chunks of %u bytes, not %" PRIu64,
                         hello->chunk_bytes, CHUNK_BYTES);
    if (!digest_is_known(hello->digest))
        return error_set(err, ERROR_PROTOCOL, 0,
                         "source uses digest algorithm %u, unknown here",
                         hello->digest);
    return 0;
}

static bool is_reserved(const struct target *t)
{
    return clock_now_ns() < t->reserved_ns;
}

/* May this source be served now? */
static int check_source(const struct target *t, const struct visitor *visitor,
                        struct error *err)
{
    const struct message_hello *hello = &visitor->first.hello;
    bool is_same;

    if (check_hello(hello, err) < 0 ||
        check_size(t, hello->virtual_bytes, err) < 0)
        return -1;
    is_same = target_is_same_job(t, hello, visitor->name) ||
              target_is_next_pass(t, hello, visitor->name);
    if (t->is_left && !is_same && strcmp(hello->job, t->disk_of.job) == 0 &&
        strcmp(visitor->name, t->disk_of_name) != 0)
        return error_set(err, ERROR_BUSY, 0,
                         "busy: the disk of another client's job is complete");
    if (t->is_left)
        return 0; /* target_prepare() refuses what must not be replaced */
    if (t->is_committed && !is_same)
        return error_set(err, ERROR_BUSY, 0,
                         "busy: the disk of another source is complete");
    if (is_reserved(t) && !is_same)
        return error_set(err, ERROR_BUSY, 0,
                         "busy: waiting for another source to come back, %s",
                         t->session.peer);
    return 0;
}

/* A clonewire source is here: HTTP clients are refused from now on. */
static int keep_gate(struct target *t, struct error *err)
{
    if (t->has_router || t->is_committed)
        return 0;
    if (upload_router_claim(&t->router) < 0)
        return error_set(err, ERROR_BUSY, 0, "busy: an upload is under way");
    t->has_router = true;
    return 0;
}

static void leave_gate(struct target *t)
{
    if (t->has_router)
        upload_router_set(&t->router, UPLOAD_ROUTER_OPEN);
    t->has_router = false;
}

/*
 * 1: it is our source, or an upload; 0: it was turned away, as late lanes and
 * strangers are at any time; -1: --once, and this process has no descriptor or
 * memory left for a client.  What a client does ends no target before a clone
 * has begun.
 */
static int consider(struct target *t, const struct visitor *visitor,
                    struct error *err)
{
    if (visitor->upload)
        return 1;
    if (!visitor->conn) {
        visitor_log_refusal(visitor, &visitor->err);
        *err = visitor->err;
        return t->options.once && !t->has_disk && err->kind == ERROR_SYSTEM ? -1
                                                                            : 0;
    }
    if (visitor->first.type == MESSAGE_JOIN)
        target_check_join(t, &visitor->first.join, err);
    else if (check_source(t, visitor, err) == 0 && keep_gate(t, err) == 0)
        return 1;
    target_turn_away(visitor, err);
    return 0;
}

/* Who is to be considered next: our source first, if it called again. */
static struct visitor *next_visitor(struct target *t)
{
    return t->comeback ? TAKE_PTR(t->comeback) : listener_take(t->listener);
}

/* True when the reserved time has just run out. */
static bool is_given_up(struct target *t)
{
    if (t->reserved_ns == 0 || is_reserved(t) || !target_finished_is_read(t))
        return false;
    t->reserved_ns = 0;
    job_found_peer(&t->job);
    leave_gate(t);
    return true;
}

/* Is our pairing code still good?  For the source that has begun, always. */
static int check_code(struct target *t, struct error *err)
{
    if (!t->is_paired || t->reserved_ns > 0)
        return 0;
    if (clock_now_ns() >= t->code_ends_ns)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "no source connected while the pairing code was "
                         "valid; restart the target to get a new one");
    return 0;
}

/* The clone of a source that may come back is under way, and is not cut. */
static bool is_late(const struct target *t)
{
    return t->options.deadline_unix_ns > 0 && t->reserved_ns == 0 &&
           !t->is_committed && clock_unix_ns() >= t->options.deadline_unix_ns;
}

static void wait_for_visitor(struct target *t)
{
    bool is_timed = t->reserved_ns > 0 || t->is_paired ||
                    t->options.deadline_unix_ns > 0;

    if (t->reserved_ns > 0)
        job_report(&t->job);
    job_state_wait(&t->job.state, -1, is_timed ? JOB_TICK_MS : -1);
}

/*
 * 1: *visitor (owned by the caller) brings the HELLO of our source.  0: the
 * source that time was reserved for did not come back.  -1: ended.
 */
static int wait_for_source(struct target *t, struct visitor **visitor,
                           struct error *err)
{
    for (;;) {
        struct visitor *v;

        if (job_state_is_cancelled(&t->job.state, err))
            return -1;
        job_attend(&t->job);
        while ((v = next_visitor(t))) {
            int r = consider(t, v, err);

            if (r > 0) {
                *visitor = v;
                return 1;
            }
            visitor_close(v);
            if (r < 0)
                return -1;
        }
        if (is_given_up(t))
            return 0;
        if (check_code(t, err) < 0)
            return -1;
        t->is_late = is_late(t);
        if (t->is_late)
            return error_set(err, ERROR_TEMPORARY, 0,
                             "no source came by the deadline");
        wait_for_visitor(t);
    }
}

/* ---- one session after the other ---- */

/* Is err the fault of this target, so that no source can succeed?  A server of
 * uploads waits for a smaller disk, as CDI's does. */
static bool is_targets_fault(const struct target *t, const struct error *err)
{
    switch (err->kind) {
    case ERROR_NO_SPACE: return !err->from_peer && !t->options.security.http;
    case ERROR_NONE:
    case ERROR_SYSTEM:
    case ERROR_USAGE:
    case ERROR_REFUSED:
    case ERROR_TARGET_IO:
    case ERROR_CANCELLED: return !err->from_peer;
    case ERROR_CHANGED:
    case ERROR_FORMAT:
    case ERROR_MISMATCH:
    case ERROR_TLS:
    case ERROR_PROTOCOL:
    case ERROR_BUSY:
    case ERROR_SOURCE_IO:
    case ERROR_PEER:
    case ERROR_TEMPORARY: return false;
    }
    return true;
}

/*
 * A session has failed: does the target wait for another one?  It keeps what
 * came, unless that was just found to be wrong.
 */
static bool wait_for_next_session(struct target *t, const struct error *err)
{
    bool comes_back = err->kind == ERROR_TEMPORARY &&
                      retry_again(&t->retry, t->max_on_disk, clock_now_ns());

    if (is_targets_fault(t, err) || (t->options.once && !comes_back))
        return false;
    if (err->kind == ERROR_NO_SPACE && t->has_disk)
        sink_discard(t->sink); /* it fills the volume */
    if (err->kind == ERROR_MISMATCH || err->kind == ERROR_NO_SPACE)
        t->has_disk = false;
    log_warn_limited(t->session.peer, "clone from %s: %s; %s", t->session.peer,
                     err->text,
                     comes_back ? "waiting for the source to come back"
                                : "waiting for another source");
    /* Before there is a disk, no source can be known as the one of it. */
    t->reserved_ns = comes_back && (t->has_disk || t->awaits_pass)
                         ? t->retry.deadline_ns
                         : 0;
    if (t->reserved_ns == 0)
        leave_gate(t);
    job_lost_peer(&t->job, t->reserved_ns);
    job_read_security(&t->job);
    return true;
}

/* An upload has failed: its client may try again, unless our disk is at
 * fault. */
static bool go_on_after_upload(struct target *t, const struct error *err)
{
    if (t->options.once || err->kind == ERROR_TARGET_IO ||
        err->kind == ERROR_CANCELLED)
        return false;
    log_warn("upload from %s: %s; waiting for another", t->session.peer,
             err->text);
    job_state_go_on(&t->job.state);
    job_read_security(&t->job);
    return true;
}

/* One source, to its end.  As target_serve(), with *err. */
static int serve_visitor(struct target *t, struct visitor *visitor,
                         struct error *err)
{
    int r = visitor->upload ? target_take_upload(t, visitor)
                            : target_serve(t, visitor);

    if (r < 0)
        job_state_first_error(&t->job.state, err);
    if (r < 0 && err->kind == ERROR_NO_SPACE && t->options.security.http)
        error_wrap(err, ERROR_NO_SPACE_CDI);
    if (r == 0 && t->disk_of.next_pass_s == 0)
        upload_router_set(&t->router, UPLOAD_ROUTER_DONE);
    return r;
}

/* The source may not know yet: it can ask again for as long as it would
 * try, and no disk depends on it. */
static void wait_until_told(struct target *t)
{
    struct visitor *visitor;
    struct error err;

    t->reserved_ns = clock_now_ns() + t->job.tuning.retry_ns;
    if (t->job.tuning.retry_ns == CW_RETRY_OFF)
        return;
    while (!t->is_told && wait_for_source(t, &visitor, &err) > 0) {
        if (target_is_next_pass(t, &visitor->first.hello, visitor->name)) {
            t->comeback = visitor; /* it knows */
            return;
        }
        if (serve_visitor(t, visitor, &err) < 0)
            job_state_go_on(&t->job.state);
        visitor_close(visitor);
    }
}

/* The source has stopped following its image before its last pass. */
static int fail_pass(const struct target *t, struct error *err)
{
    if (t->has_disk)
        return error_set(err, ERROR_TEMPORARY, 0,
                         "the source did not come back during pass %u",
                         t->passes + 1);
    return error_set(err, ERROR_TEMPORARY, 0,
                     "the source did not come for its next pass; %s is a "
                     "complete copy as of pass %u",
                     t->options.destination, t->passes);
}

/*
 * 1: *visitor (owned by the caller) is next.  0: the disk was finished by an
 * earlier process, and no source has connected since.  -1: ended; lost: of the
 * session before.
 */
static int next_source(struct target *t, struct visitor **visitor,
                       const struct error *lost, struct error *err)
{
    for (;;) {
        int r = -1;

        *visitor = NULL;
        if (target_finished_make_way(t, NULL, err) == 0 &&
            target_finished_wait(t, err) == 0)
            r = wait_for_source(t, visitor, err);
        if (r == 0 && t->is_left) {
            r = target_finished_end(t, err);
            if (r == 0 || !atomic_load(&t->plan.is_replaced))
                return r;
            log_warn("%s", err->text);
            continue;
        }
        target_finished_interrupt(t);
        if (r > 0 && target_finished_make_way(t, *visitor, err) < 0) {
            visitor_close(*visitor);
            r = -1;
        }
        if (r != 0)
            return r;
        if (t->awaits_pass)
            return fail_pass(t, err);
        if (t->options.once) {
            *err = *lost;
            return -1;
        }
        log_warn("the source did not come back in time; serving any");
    }
}

static int run_sessions(struct target *t, struct error *err)
{
    struct error lost = { .kind = ERROR_NONE };

    for (;;) {
        struct visitor *visitor = NULL;
        int r = next_source(t, &visitor, &lost, err);
        bool is_upload;

        if (r <= 0 || !visitor)
            return r;
        is_upload = visitor->upload != NULL;
        r = serve_visitor(t, visitor, err);
        visitor_close(visitor);
        if (r == 0)
            return 0;
        if (is_upload ? !go_on_after_upload(t, err)
                      : !wait_for_next_session(t, err))
            return -1;
        lost = *err;
    }
}

static void summarize(const struct target *t, struct cw_summary *summary)
{
    struct sink_report report;

    sink_get_report(t->sink, &report);
    job_summarize(&t->job, summary);
    summary->allocated_bytes = report.allocated_bytes;
    summary->io_mode = file_mode_name(report.mode);
    summary->zero_method = report.zero_method;
    summary->preallocation = report.preallocation;
    snprintf(summary->preallocation_why, sizeof(summary->preallocation_why),
             "%s", report.preallocation_why);
    snprintf(summary->image_format, sizeof(summary->image_format), "%s",
             t->disk_of.format);
    snprintf(summary->tls, sizeof(summary->tls), "%s", t->job.status.cipher);
    snprintf(summary->peer, sizeof(summary->peer), "%s", t->session.peer);
    summary->arrival = t->arrival;
    digest_format((enum digest_algorithm)t->disk_of.digest, t->root,
                  summary->digest);
    if (!t->is_tree)
        return;
    summary->allocated_bytes = 0;
    summary->zero_method = "hole";
    summary->preallocation = t->is_tree_preallocated ? "falloc" : "off";
    summary->digest[0] = '\0'; /* of no disk */
}

/* The source knows, or its time is up: no session continues this disk. */
static void forget_record(struct target *t)
{
    struct error err;

    if (checkpointer_retire(&t->checkpointer, &err) < 0)
        log_warn("%s", err.text);
}

/* The copy of a pass is complete, and its source continues: the next pass changes
 * the copy, which is its own. */
static int await_pass(struct target *t, struct error *err)
{
    uint64_t wait_ns = t->disk_of.next_pass_s * CLOCK_SECOND_NS +
                       (t->job.tuning.retry_ns == CW_RETRY_OFF
                            ? 0
                            : t->job.tuning.retry_ns);

    job_read_security(&t->job);
    log_info("pass %u is complete; waiting for the next one", t->passes);
    if (t->options.delta == CW_DELTA_OFF)
        t->options.delta = CW_DELTA_AUTO;
    t->options.only_resume = false;
    t->is_committed = t->is_told = false;
    t->readbacks = 0;
    t->max_on_disk = t->parts_on_disk = 0;
    t->retry = (struct retry){ .budget_ns = t->job.tuning.retry_ns };
    t->reserved_ns = clock_now_ns() + wait_ns;
    return target_reopen_disk(t, err);
}

/* All passes of one source, each of which leaves a complete copy. */
static int run_passes(struct target *t, struct cw_summary *summary,
                      struct error *err)
{
    for (;;) {
        int r;

        if (run_sessions(t, err) < 0)
            return -1;
        t->awaits_pass = t->disk_of.next_pass_s > 0;
        t->passes = t->disk_of.pass;
        summarize(t, summary);
        r = job_write_receipt(&t->job, summary, err);
        wait_until_told(t);
        forget_record(t);
        if (r < 0 || !t->awaits_pass)
            return r;
        if (await_pass(t, err) < 0)
            return -1;
    }
}

static int target_run(struct cw_job *job, struct cw_summary *summary,
                      struct error *err)
{
    struct target *t = (struct target *)job;

    t->code_ends_ns = clock_now_ns() + t->options.pairing_valid_ns;
    if (listener_open(&t->listen, job,
                      t->options.security.http ? &t->http : NULL, &t->listener,
                      err) < 0)
        return -1;
    job_set_ready(job);
    if (run_passes(t, summary, err) == 0)
        return 0;
    if (t->is_late)
        return 1;
    if (t->session.peer[0] == '\0' || t->is_committed)
        return -1;
    return error_wrap(err, "clone from %s to %s", t->session.peer,
                      t->options.destination);
}

static void target_free(struct cw_job *job)
{
    struct target *t = (struct target *)job;

    target_finished_interrupt(t);
    target_recognize_end(t);
    visitor_close(t->comeback);
    free(t->session.tree);
    listener_close(t->listener);
    checkpointer_close(&t->checkpointer);
    sink_close(t->sink);
    chunk_bitmap_fini(&t->plan.came);
    chunk_bitmap_fini(&t->plan.on_disk);
    chunk_bitmap_fini(&t->plan.hint);
    chunk_bitmap_fini(&t->plan.unverified);
    chunk_bitmap_fini(&t->plan.found);
    chunk_bitmap_fini(&t->plan.announced);
    leaf_cache_close(&t->plan.leaves);
    job_fini(job);
    free(t);
}

static int build(struct target *t, const struct cw_target_options *options,
                 struct error *err)
{
    struct checkpoint_head head;
    enum resume_probe found = resume_probe_look(options, &head);
    struct sink_options sink;

    disk_options_sink(options, &sink);
    t->job.run = target_run;
    t->job.free = target_free;
    t->options = *options;
    t->is_paired = options->security.pairing_code != NULL;
    t->options.security.pairing_code = NULL; /* the caller may wipe it */
    t->plan.job = &t->job;
    t->job.status.disk_path = options->destination;
    t->plan.path = options->destination;
    sink.finished = found == RESUME_PROBE_FINISHED_FILE;
    if (job_init(&t->job, false, &options->security, &options->tuning,
                 &options->events, err) < 0 ||
        addr_parse(options->listen, &t->listen, err) < 0 ||
        sink_open(&sink, &t->sink, err) < 0)
        return -1;
    t->plan.sink = t->sink;
    checkpointer_open(&t->checkpointer, &t->job, t->sink, options->state_dir,
                      options->checkpoint_ns);
    t->plan.checkpointer = &t->checkpointer;
    t->router = (struct upload_router){
        /* Before the job's patience ends: that could not say whose fault
         * it is. */
        .idle_ns = t->job.tuning.stall_ns / 4 * 3,
        .deadline_unix_ns = options->deadline_unix_ns,
    };
    t->http = upload_router_service(&t->router);
    t->arrival = "clonewire";
    t->retry.budget_ns = t->job.tuning.retry_ns;
    return found == RESUME_PROBE_FINISHED_FILE ||
                   found == RESUME_PROBE_FINISHED_DEVICE
               ? target_finished_open(t, &head, err)
               : 0;
}

struct cw_job *target_open(const struct cw_target_options *options,
                           const struct job_observer *observer,
                           struct error *err)
{
    struct target *t = calloc(1, sizeof(*t));

    if (!t) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "start the target");
        return NULL;
    }
    t->job.observer = observer;
    if (build(t, options, err) == 0)
        return &t->job;
    target_free(&t->job);
    return NULL;
}
