/*
 * source_follow.c - a clone in passes, of a disk that is in use until the last
 * one: each pass is a delta to the copy that the one before has completed.
 *
 * A pass that is not the last may read a changing image.  Its copy is proved
 * equal to what was read, and marked where that is not of one moment.
 */
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "job/job_state.h"

#define CUTOVER_WORD "cutover"

static bool is_following(const struct source *s)
{
    return s->options.follow_ns != 0;
}

static bool reads_lines(const struct source *s)
{
    return s->options.follow_ns == CW_FOLLOW_STDIN;
}

/* ---- when is the last one? ---- */

static void ask_cutover(struct cw_job *job)
{
    struct source *s = (struct source *)job;

    s->is_cutover_asked = true;
}

/* A terminal is read only by the job in its foreground; others would stop. */
static bool has_input(const struct source *s)
{
    return !s->is_input_at_end &&
           (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp());
}

/* Reads one line if there is one.  False: none. */
static bool take_line(struct source *s, char *line, size_t len)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    size_t used = 0;
    char c;

    if (!has_input(s) || poll(&input, 1, 0) <= 0)
        return false;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, &c, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            s->is_input_at_end = true;
            return false;
        }
        if (c == '\n')
            break;
        if (used + 1 < len)
            line[used++] = c;
    }
    line[used] = '\0';
    return true;
}

/* True once a pass is due because of a line. */
static bool take_lines(struct source *s)
{
    char line[64];

    if (!take_line(s, line, sizeof(line)))
        return false;
    if (!reads_lines(s) || strcmp(line, CUTOVER_WORD) == 0)
        s->is_cutover_asked = true;
    return true;
}

static bool is_cutover(const struct source *s)
{
    uint64_t expected_ns = progress_get(&s->job.status.progress.cutover_ns);

    return s->is_cutover_asked ||
           (s->options.follow_until &&
            access(s->options.follow_until, F_OK) == 0) ||
           (s->options.cutover_under_ns > 0 && expected_ns > 0 &&
            expected_ns < s->options.cutover_under_ns);
}

/* Waits for the next pass, and decides whether it is the last. */
static int wait_for_turn(struct source *s, uint64_t due_ns, struct error *err)
{
    bool is_due = false;

    for (;;) {
        if (job_state_is_cancelled(&s->job.state, err))
            return -1;
        job_attend(&s->job);
        is_due = (take_lines(s) && reads_lines(s)) ||
                 (!reads_lines(s) && clock_now_ns() >= due_ns);
        s->is_last = is_cutover(s);
        if (s->is_last || is_due)
            return 0;
        if (reads_lines(s) && s->is_input_at_end)
            return error_set(err, ERROR_USAGE, 0,
                             "--follow=stdin: input ended without the line "
                             "\"" CUTOVER_WORD "\"; the target holds pass %u",
                             s->pass);
        job_report(&s->job);
        job_state_wait(&s->job.state, has_input(s) ? STDIN_FILENO : -1,
                       JOB_TICK_MS);
    }
}

/* ---- one after the other ---- */

void source_follow_init(struct source *s)
{
    s->may_be_in_use = s->options.allow_in_use;
    s->is_last = !is_following(s);
    if (!is_following(s))
        return;
    s->pass = 1;
    s->options.allow_in_use = true;
    s->job.report = ask_cutover;
}

/* Drops what belongs to the pass before. */
static void end_pass(struct source *s)
{
    image_close(TAKE_PTR(s->image));
    s->plan.image.like = NULL;
    peer_chunks_close(&s->plan.peer_chunks);
    work_order_fini(&s->plan.order);
    chunk_bitmap_fini(&s->plan.seen);
    chunk_bitmap_fini(&s->plan.changed);
    digest_close(TAKE_PTR(s->job.status.digest));
    s->has_finished = s->receipt_failed = false;
    s->max_peer_leaves = 0;
    memset(&s->done, 0, sizeof(s->done));
    s->retry = (struct retry){ .budget_ns = s->job.tuning.retry_ns };
}

/* The machine that uses the disk may take a moment to end. */
static int open_when_free(struct source *s, const struct source_pass *pass,
                          struct error *err)
{
    uint64_t patience_ns = s->job.tuning.retry_ns == CW_RETRY_OFF
                               ? 0
                               : s->job.tuning.retry_ns;
    uint64_t deadline_ns = clock_now_ns() + patience_ns;
    bool is_told = false;

    while (pass->open(s, err) < 0) {
        if (!s->is_last || err->kind != ERROR_CHANGED ||
            clock_now_ns() >= deadline_ns)
            return error_wrap(err, "pass %u", s->pass);
        if (!is_told)
            log_warn("%s; the last pass waits until it is free", err->text);
        is_told = true;
        end_pass(s);
        job_attend(&s->job);
        job_report(&s->job);
        job_state_wait(&s->job.state, -1, JOB_TICK_MS);
        if (job_state_is_cancelled(&s->job.state, err))
            return -1;
    }
    return 0;
}

static int begin_pass(struct source *s, const struct source_pass *pass,
                      struct error *err)
{
    s->pass++;
    job_read_security(&s->job);
    s->options.allow_in_use = s->may_be_in_use || !s->is_last;
    log_info("pass %u%s", s->pass, s->is_last ? ", the last one" : "");
    if (open_when_free(s, pass, err) < 0)
        return -1;
    job_begin(&s->job);
    return 0;
}

/* A pass takes as long as the one before, unless more has changed. */
static void note_pass(struct source *s, uint64_t start_ns)
{
    uint64_t took_ns = clock_now_ns() - start_ns;
    uint64_t changed = progress_get(&s->job.status.progress.data_bytes);
    char text[32];

    if (s->pass > 1)
        atomic_store(&s->job.status.progress.cutover_ns, took_ns);
    log_info("pass %u is complete on the target: %s sent in %" PRIu64
             ".%03" PRIu64 " s%s",
             s->pass, format_bytes(text, sizeof(text), changed),
             took_ns / CLOCK_SECOND_NS, took_ns % CLOCK_SECOND_NS / CLOCK_MS_NS,
             s->is_last || s->pass == 1
                 ? ""
                 : "; the last pass would take about as long");
}

int source_follow_run(struct source *s, const struct source_pass *pass,
                      struct error *err)
{
    if (is_following(s) &&
        (s->image->pipe || strcmp(s->options.image, "-") == 0))
        return error_set(
            err, ERROR_USAGE, 0,
            "--follow: %s cannot be read more than once: name a file",
            s->options.image);
    if (is_following(s) && s->image->tree)
        return error_set(err, ERROR_USAGE, 0,
                         "--follow: %s is a directory, not a disk",
                         s->options.image);
    for (;;) {
        uint64_t start_ns = clock_now_ns();

        atomic_store(&s->job.status.progress.pass, s->pass);
        if (pass->run(s, err) < 0)
            return -1;
        if (!is_following(s))
            return 0;
        note_pass(s, start_ns);
        if (s->is_last)
            return 0;
        end_pass(s);
        job_enter(&s->job, CW_PHASE_WAITING);
        if (wait_for_turn(s, start_ns + s->options.follow_ns, err) < 0 ||
            begin_pass(s, pass, err) < 0)
            return -1;
    }
}
