/*
 * source.h - what the parts of the source share: source.c is the process,
 * which runs sessions; source_connect.c dials, and again after a loss;
 * source_negotiate.c agrees with the target on what is to be sent;
 * source_trust.c decides what need not be read; source_traffic.c watches the
 * lanes' connections.
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
    uint64_t max_peer_leaves; /* leaves the target ever told to hold */
    bool has_finished;        /* FINISH was sent: the target knows our root */
    struct message_done done;
    bool is_paired; /* by a code */
    bool has_identity;
    uint8_t identity[MESSAGE_IDENTITY_BYTES]; /* of the image */
    bool wants_trust; /* it or the target, and the image is the same */
    char peer[128];
    bool receipt_failed;
    struct error receipt_error; /* then */
};

/* As cw_source_open(): NULL with *err filled; else owned by the caller
 * (job->free). */
struct cw_job *source_open(const struct cw_source_options *options,
                           const struct job_observer *observer,
                           struct error *err);

/* How to read the disk again, all of it or parts. */
struct disk_scan source_survey(const struct source *s);

/* Serves the session while an errand runs.  arg: the source. */
int source_stay_alive(void *arg);

/*
 * Looks at the lanes' connections: what the target has acknowledged is what
 * is done, and what moves.  Fails the job when segments of full size are lost
 * on the path, and has the next session send smaller ones.
 */
void source_watch_lanes(struct source *s);

/* The same of a control connection that has just begun: the certificate in our
 * handshake may be as large, and HELLO waits behind it. */
void source_watch_control(struct source *s);

/* What the disk is digested with. */
enum digest_algorithm source_digest(const struct source *s);

/*
 * Calls the target until it answers or deadline_ns has passed, and opens the
 * session with it.  -1: *err says why there is none; a target with the wrong
 * name was told so.
 */
int source_call(struct source *s, uint64_t deadline_ns, struct error *err);

/*
 * After a session that failed with err: is there to be another?  Waits a
 * moment first, as the target has to notice, too.
 */
bool source_calls_again(struct source *s, const struct error *err);

/*
 * HELLO to GO: the plan, and what the target holds already.  0; 1: it is DONE
 * (in s->done), as the target learned while we were away that the copy is
 * equal and durable; -1: the job failed.
 */
int source_negotiate(struct source *s);

/*
 * Answers a SAMPLE: reads the chunks asked for, beside the heartbeat, and
 * sends what they hold.  -1: the job failed.
 */
int source_answer_sample(struct source *s, const struct message_sample *asked);

/*
 * After it: may what the target holds be taken as told, without reading it?
 * Reads samples, beside the heartbeat.  0, also when not; -1: the job failed.
 */
int source_trust(struct source *s);

#endif
