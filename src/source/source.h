/*
 * source.h - shared by the parts of the source: source.c is the process,
 * which runs sessions; source_connect.c dials, and redials after a loss;
 * source_negotiate.c agrees with the target on what to send;
 * source_trust.c decides what need not be read; source_traffic.c watches the
 * lanes' connections; source_follow.c repeats it all in passes.
 */
#ifndef CW_SOURCE_SOURCE_H
#define CW_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "control/session.h"
#include "image/image.h"
#include "job/job.h"
#include "job/retry.h"
#include "job/task.h"
#include "source/send_worker.h"
#include "transfer/disk_scan.h"

struct source {
    struct cw_job job; /* first: the API's handle is this */
    struct cw_source_options options;
    struct image *image; /* map only; each lane opens its own */
    struct source_plan plan;
    struct send_worker lanes[MESSAGE_MAX_LANES];
    struct session session;
    struct retry retry;
    struct task task;
    struct tcp_path control_path;
    struct tcp_path paths[MESSAGE_MAX_LANES]; /* of the session's lanes */
    uint64_t max_peer_leaves; /* maximum of leaves that the target announced */
    bool has_finished;        /* FINISH was sent: the target knows our root */
    struct message_done done;
    bool is_paired;     /* by a code */
    bool has_identity;  /* for HELLO */
    bool is_identified; /* identity is that of the image as it was opened */
    uint8_t identity[MESSAGE_IDENTITY_BYTES]; /* of the image */
    uint16_t file_mode;                       /* for the copy, as of HELLO */
    bool wants_trust; /* either end asks for it, and the image is the same */
    char peer[128];
    bool receipt_failed;
    struct error receipt_error; /* then */

    /* With follow: source_follow.c. */
    unsigned pass;         /* the current one, from 1; 0: only one */
    bool is_last;          /* no other follows */
    bool is_cutover_asked; /* by cw_report() or a line */
    bool may_be_in_use;    /* also in the last pass: allow_in_use, as given */
    bool is_input_at_end;  /* no more lines will come */
};

/* As cw_source_open(): NULL with *err filled; else owned by the caller
 * (job->free). */
struct cw_job *source_open(const struct cw_source_options *options,
                           const struct job_observer *observer,
                           struct error *err);

/* What a pass consists of. */
struct source_pass {
    /* Opens options.image, and makes what is kept for each of its chunks. */
    int (*open)(struct source *s, struct error *err);
    /* Clones it, in as many sessions as it takes. */
    int (*run)(struct source *s, struct error *err);
};

/* Before the image is opened for the first pass: sets up options.follow_ns. */
void source_follow_init(struct source *s);

/*
 * All passes, if options.follow_ns asks for several, else one.  Between passes,
 * the copy of the last is complete on the target, which waits.
 */
int source_follow_run(struct source *s, const struct source_pass *pass,
                      struct error *err);

/* How long the target should wait for the next pass, in seconds; 0: this is the
 * last. */
uint32_t source_next_pass_s(const struct source *s);

/* Options to scan the disk again, all of it or parts. */
struct disk_scan source_survey(const struct source *s);

/* Serves the session while a task runs.  arg: the source. */
int source_stay_alive(void *arg);

/*
 * Checks the lanes' connections: bytes that the target has acknowledged count
 * as done and as progress.  Fails the job if the path loses full-size segments,
 * and makes the next session send smaller ones.
 */
void source_watch_lanes(struct source *s);

/* The same for a new control connection: the certificate in our handshake may
 * fill such segments, and HELLO waits after it. */
void source_watch_control(struct source *s);

/* The digest algorithm of the disk. */
enum digest_algorithm source_digest(const struct source *s);

/*
 * Dials the target until it answers or deadline_ns has passed, and opens the
 * session with it.  -1: *err says why there is none; a target with the wrong
 * name has received an ERROR.
 */
int source_call(struct source *s, uint64_t deadline_ns, struct error *err);

/*
 * After a session that failed with err: true if another one shall start.  Waits
 * a moment first, as the target must notice the failure too.
 */
bool source_calls_again(struct source *s, const struct error *err);

/*
 * Exchanges HELLO to GO: the plan, and the data that the target already holds.
 * 0; 1: the target answered DONE (in s->done), as it found in the meantime that
 * the copy is equal and durable; -1: the job failed.
 */
int source_negotiate(struct source *s);

/*
 * Answers a SAMPLE: reads the requested chunks while heartbeats continue, and
 * sends their digests and sums.  -1: the job failed.
 */
int source_answer_sample(struct source *s, const struct message_sample *asked);

/*
 * After source_negotiate(): decides whether to trust the announced chunks
 * without reading them.  Reads samples while heartbeats continue.  0, whatever
 * the decision; -1: the job failed.
 */
int source_trust(struct source *s);

#endif
