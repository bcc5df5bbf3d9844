#include "source/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "plan/chunk_grid.h"
#include "resume/source_identity.h"
#include "tar/tree_index.h"
#include "transfer/compressor.h"
#include "transfer/disk_options.h"

/* How much of an index is sent between two looks at the session. */
#define INDEX_TURN_BYTES (UINT64_C(2) << 20)

/* One lane for a stream, which can only be read in order. */
static unsigned lanes_wanted(const struct source *s)
{
    return s->image->is_sequential || s->image->is_one_lane
               ? 1
               : job_lanes_wanted(&s->job, s->image->is_decoded);
}

static int say_hello(struct source *s)
{
    struct message message = { .type = MESSAGE_HELLO };
    struct message_hello *hello = &message.hello;

    /* A target that knows no directories refuses the version. */
    hello->version = s->image->tree ? MESSAGE_VERSION_TREE : MESSAGE_VERSION;
    hello->tree_bytes = s->image->tree ? s->image->tree->len : 0;
    hello->lanes = (uint16_t)lanes_wanted(s);
    hello->chunk_bytes = (uint32_t)CHUNK_BYTES;
    hello->digest = source_digest(s);
    hello->virtual_bytes = s->plan.virtual_bytes;
    hello->data_bytes = s->job.status.total_bytes;
    hello->codecs = compressor_offer(s->plan.compress);
    memcpy(hello->job, s->job.status.id, sizeof(hello->job));
    memcpy(hello->format, s->job.status.format, sizeof(hello->format));
    hello->asks_delta = s->options.delta || s->plan.has_changed || s->pass > 1;
    hello->pass = s->pass;
    hello->next_pass_s = source_next_pass_s(s);
    hello->takes_sums = hello->takes_parts = true;
    hello->padding_bytes = (uint16_t)s->job.status.padding_bytes;
    hello->file_mode = s->file_mode;
    hello->stored_bytes = disk_options_stored(s->image,
                                              s->job.status.total_bytes);
    hello->takes_missing = true;
    hello->answers_sample = source_can_sample(s->image);
    hello->asks_trust = s->options.resume == CW_RESUME_TRUST;
    snprintf(hello->software, sizeof(hello->software), "clonewire %s",
             version_text());
    hello->has_finished = s->has_finished;
    if (s->has_finished)
        digest_root(s->job.status.digest, hello->root);
    hello->has_identity = s->has_identity;
    memcpy(hello->identity, s->identity, sizeof(hello->identity));
    if (s->job.status.start_ns == 0)
        s->job.status.start_ns = clock_now_ns();
    return session_send(&s->session, &message);
}

static int send_index(struct source *s)
{
    const struct tree_index *index = s->image->tree;
    struct message message = { .type = MESSAGE_TREE };
    size_t left;

    for (size_t at = 0; index && at < index->len; at += message.tree.len) {
        left = index->len - at;
        message.tree.offset = at;
        message.tree.len = (uint16_t)(left < MESSAGE_TREE_MAX
                                          ? left
                                          : MESSAGE_TREE_MAX);
        message.tree.bytes = index->bytes + at;
        if (session_send(&s->session, &message) < 0)
            return -1;
        /* On a slow network the target's heartbeats wait meanwhile; DONE may
         * come after FINISH only. */
        if (!s->has_finished &&
            at / INDEX_TURN_BYTES !=
                (at + message.tree.len) / INDEX_TURN_BYTES &&
            source_stay_alive(s) < 0)
            return -1;
    }
    return 0;
}

/* Waits for PLAN.  1: DONE came instead, as the target found in the meantime
 * that the copy is equal and durable. */
static int await_plan(struct source *s, struct message *message)
{
    for (;;) {
        int r = session_step(&s->session, message);

        source_watch_control(s);
        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message->type == MESSAGE_PLAN)
            return 0;
        if (message->type == MESSAGE_SAMPLE) {
            struct message_sample asked = message->sample;

            if (source_answer_sample(s, &asked) < 0)
                return -1;
            continue;
        }
        if (message->type == MESSAGE_DONE && s->has_finished)
            return 1;
        return session_unexpected(&s->session, message);
    }
}

static int check_plan(const struct source *s, const struct message_plan *plan,
                      struct error *err)
{
    if (plan->lanes > lanes_wanted(s) ||
        plan->disk_bytes < s->plan.virtual_bytes)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "target planned %u lanes and a disk of %" PRIu64
                         " bytes",
                         plan->lanes, plan->disk_bytes);
    if (s->pass > 0 && !plan->takes_passes)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "target is too old to take a disk in several passes "
                         "(--follow)");
    if (plan->has_sums && !plan->surveys)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "target planned sums of chunks that it will not tell");
    return compressor_agree(s->plan.compress, plan->codecs, err);
}

static int take_plan(struct source *s, const struct message_plan *plan)
{
    struct error err;

    if (check_plan(s, plan, &err) < 0) {
        job_state_fail(&s->job.state, &err);
        return -1;
    }
    s->job.resources.lanes = plan->lanes;
    memcpy(s->job.status.peer_software, plan->software, sizeof(plan->software));
    s->plan.codecs = plan->codecs;
    s->wants_trust = (plan->wants_trust ||
                      s->options.resume == CW_RESUME_TRUST) &&
                     plan->has_identity && s->has_identity &&
                     memcmp(plan->identity, s->identity, sizeof(s->identity)) ==
                         0;
    memcpy(s->plan.secret, plan->secret, sizeof(s->plan.secret));
    peer_chunks_close(&s->plan.peer_chunks);
    if (peer_chunks_open(&s->plan.peer_chunks, source_digest(s),
                         s->plan.virtual_bytes, plan, &err) == 0)
        return 0;
    job_state_fail(&s->job.state, &err);
    return -1;
}

/* A list of changed extents needs an older copy on the target. */
static int check_older(struct source *s)
{
    struct error err;

    if (s->plan.peer_chunks.surveys) {
        log_info("only %" PRIu64 " of %" PRIu64 " chunks are read, the rest "
                 "is taken as unchanged",
                 chunk_bitmap_count(&s->plan.changed), s->plan.changed.chunks);
        return 0;
    }
    error_set(&err, ERROR_REFUSED, 0,
              "--changed-extents needs an older copy of the disk on the "
              "target, which has none");
    job_state_fail(&s->job.state, &err);
    return -1;
}

/* Receives the announced chunks, up to GO. */
static int await_go(struct source *s)
{
    struct message message;
    uint64_t held;

    for (;;) {
        int r = session_step(&s->session, &message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message.type == MESSAGE_GO)
            break;
        if (peer_chunks_receive(&s->plan.peer_chunks, &s->session, &message) <
            0)
            return -1;
    }
    peer_chunks_end_parts(&s->plan.peer_chunks);
    held = peer_chunks_count(&s->plan.peer_chunks);
    if (held > 0)
        log_info("the target holds %" PRIu64 " of %" PRIu64
                 " chunks already; only what differs is sent",
                 held, chunk_grid_count(s->plan.virtual_bytes));
    if (s->plan.has_changed && check_older(s) < 0)
        return -1;
    if (s->plan.peer_chunks.surveys)
        log_info("the target reads what it has, and only what differs is sent");
    held = held * MESSAGE_CHUNK_LEAVES + s->plan.peer_chunks.part_leaves;
    if (held > s->max_peer_leaves)
        s->max_peer_leaves = held;
    return 0;
}

int source_negotiate(struct source *s)
{
    struct message message;
    int r;

    if (say_hello(s) < 0 || send_index(s) < 0)
        return -1;
    r = await_plan(s, &message);
    if (r > 0)
        s->done = message.done;
    if (r != 0)
        return r;
    return take_plan(s, &message.plan) < 0 ? -1 : await_go(s);
}
