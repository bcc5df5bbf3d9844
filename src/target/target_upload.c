/*
 * target_upload.c - a target's disk by HTTP: one task does it all, from the
 * first byte of the body to the answer, while the main thread serves the
 * listener.
 */
#include "target/target.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cdi/upload.h"
#include "job/watchdog.h"

/* Less than a signal leaves a job to end (signals.h). */
#define ANSWER_NS CLOCK_SECOND_NS

struct upload_task {
    struct target *t;
    struct upload upload;
    uint64_t seen_bytes;   /* of the body */
    uint64_t leave_ns;     /* when the answer is given up; 0: not stopped */
    atomic_bool is_ending; /* the client is waited for, and no disk */
    atomic_bool is_whole;  /* and what it sent is there, and durable */
};

/* What an earlier source has left is gone before the first byte comes. */
static int begin_upload(struct target *t, struct error *err)
{
    if (target_check_fresh(t, err) < 0)
        return -1;
    target_forget_disk(t);
    sink_set_source(t->sink, 0, 0);
    return checkpointer_remove(&t->checkpointer, err);
}

/* What was written is good, as far as it goes: the next upload finds it. */
static bool is_cut_off(const struct error *err)
{
    return err->kind == ERROR_CANCELLED || err->kind == ERROR_TEMPORARY;
}

/* The router opens before the answer: the client may try again at once. */
static int receive_upload(void *arg, struct error *err)
{
    struct upload_task *task = arg;
    struct target *t = task->t;

    if (begin_upload(t, err) < 0 || upload_receive(&task->upload, err) < 0) {
        if (!is_cut_off(err))
            sink_discard(t->sink);
        atomic_store(&task->is_ending, true);
        upload_router_set(&t->router, UPLOAD_ROUTER_OPEN);
        upload_refuse(&task->upload, err);
        return -1;
    }
    atomic_store(&task->is_whole, true);
    atomic_store(&task->is_ending, true);
    upload_router_set(&t->router, UPLOAD_ROUTER_DONE);
    request_answer(task->upload.from, HTTP_OK, HTTP_TEXT, "");
    return 0;
}

/* Others come meanwhile.  The gate has let in a client only if this upload
 * has failed already: it is next. */
static void queue_visitors(struct target *t)
{
    struct visitor *visitor;
    struct error err;

    while ((visitor = listener_take(t->listener))) {
        if (visitor->upload && !t->comeback) {
            t->comeback = visitor;
            continue;
        }
        error_set(&err, ERROR_BUSY, 0, "busy: an upload is under way");
        if (visitor->conn)
            target_turn_away(visitor, &err);
        else
            visitor_log_refusal(visitor, &visitor->err);
        visitor_close(visitor);
    }
}

/* Bytes that come are progress, long before they fill a chunk. */
static void note_arrival(struct upload_task *task)
{
    uint64_t bytes = atomic_load(&task->upload.from->body_bytes);

    if (bytes != task->seen_bytes || atomic_load(&task->is_ending))
        watchdog_start(&task->t->job);
    task->seen_bytes = bytes;
}

/* What is whole stays so, whatever we are asked: the client gets a moment to
 * take its answer, and is not waited for. */
static void hurry(struct upload_task *task)
{
    uint64_t now_ns = clock_now_ns();

    if (!atomic_load(&task->t->job.state.cancelled))
        return;
    if (task->leave_ns == 0)
        task->leave_ns = now_ns + ANSWER_NS;
    if (now_ns >= task->leave_ns)
        request_interrupt(task->upload.from);
}

static int serve_upload(void *arg)
{
    struct upload_task *task = arg;
    struct cw_job *job = &task->t->job;
    struct error err;

    queue_visitors(task->t);
    job->status.total_bytes = atomic_load(&task->upload.total_bytes);
    job_enter(job, (enum cw_phase)atomic_load(&task->upload.phase));
    note_arrival(task);
    atomic_store(&job->status.progress.zeroed_bytes,
                 sink_zeroed_bytes(task->t->sink));
    job_attend(job);
    job_report(job);
    if (atomic_load(&task->is_whole)) {
        hurry(task);
    } else if (job_state_is_cancelled(&job->state, &err)) {
        /* Only then: an upload that has failed is still to be answered. */
        job_state_fail(&job->state, &err);
        sink_stop(task->t->sink);
        request_interrupt(task->upload.from);
        return -1;
    }
    job_state_wait(&job->state, -1, JOB_TICK_MS);
    return 0;
}

/* What there is to tell about it, as of a source of our own. */
static void note(struct target *t, const struct upload *upload)
{
    t->is_committed = true;
    t->is_told = true;
    t->job.status.disk_bytes = upload->disk_bytes;
    t->disk_of.digest = DIGEST_XXH3_128;
    snprintf(t->disk_of.format, sizeof(t->disk_of.format), "%s",
             upload->format);
    t->arrival = upload->is_clone ? "clone" : "upload";
    t->is_tree = upload->is_tree;
    t->is_tree_preallocated = upload->is_tree_preallocated;
    digest_root(t->job.status.digest, t->root);
}

int target_take_upload(struct target *t, struct visitor *visitor)
{
    struct upload_task task = {
        .t = t,
        .upload = {
            .from = visitor->upload,
            .job = &t->job,
            .sink = t->sink,
            .options = &t->options,
            .is_device = sink_is_device(t->sink),
        },
    };
    struct conn_info info;
    int r;

    t->disk_of.next_pass_s = 0; /* it is of no source */
    conn_get_info(visitor->upload->conn, &info);
    snprintf(t->session.peer, sizeof(t->session.peer), "%s (%s)", info.peer,
             info.peer_name);
    snprintf(t->job.status.cipher, sizeof(t->job.status.cipher), "%s %s",
             info.tls_version, info.cipher);
    job_begin(&t->job);
    conn_count_wire(visitor->upload->conn, &t->job.status.progress.wire_bytes);
    job_enter(&t->job, CW_PHASE_PLANNING);
    t->job.resources.lanes = 1;
    t->job.status.total_bytes = 0;
    t->job.status.padding_bytes = 0;
    r = task_run(&t->task, &t->job, receive_upload, serve_upload, &task);
    if (atomic_load(&task.is_whole))
        r = 0; /* even if it was to be stopped just before */
    if (r == 0) {
        note(t, &task.upload);
        job_enter(&t->job, CW_PHASE_DONE);
    } else {
        progress_add(&t->job.status.progress.failed_sessions, 1);
    }
    return r;
}
