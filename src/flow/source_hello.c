#include "flow/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "flow/have.h"
#include "flow/packing.h"
#include "plan/grid.h"

/* A stream can only be read in order, and so by one lane. */
static unsigned lanes_wanted(const struct source *s)
{
    return s->image->is_sequential
               ? 1
               : job_lanes_wanted(&s->job, s->image->is_decoded);
}

static int say_hello(struct source *s)
{
    struct message message = { .type = MESSAGE_HELLO };
    struct message_hello *hello = &message.hello;

    hello->version = MESSAGE_VERSION;
    hello->lanes = (uint16_t)lanes_wanted(s);
    hello->chunk_bytes = (uint32_t)GRID_CHUNK_BYTES;
    hello->digest = source_digest(s);
    hello->virtual_bytes = s->plan.virtual_bytes;
    hello->data_bytes = s->job.total_bytes;
    hello->codecs = packing_offer(s->plan.compress);
    memcpy(hello->job, s->job.id, sizeof(hello->job));
    memcpy(hello->format, s->job.format, sizeof(hello->format));
    snprintf(hello->software, sizeof(hello->software), "clonewire %s",
             cw_version());
    hello->has_identity = s->has_identity;
    memcpy(hello->identity, s->identity, sizeof(hello->identity));
    if (s->job.begun_ns == 0)
        s->job.begun_ns = clock_now_ns();
    return session_send(&s->session, &message);
}

/* The plan; 1: it is DONE already, as the target learned while we were
 * away that the copy is equal and durable. */
static int await_plan(struct source *s, struct message *message)
{
    for (;;) {
        int r = session_step(&s->session, message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message->type == MESSAGE_PLAN)
            return 0;
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
    return packing_agree(s->plan.compress, plan->codecs, err);
}

static int take_plan(struct source *s, const struct message_plan *plan)
{
    struct error err;

    if (check_plan(s, plan, &err) < 0) {
        job_fail(&s->job, &err);
        return -1;
    }
    s->job.lanes = plan->lanes;
    memcpy(s->job.peer_software, plan->software, sizeof(plan->software));
    s->plan.codecs = plan->codecs;
    s->wants_trust = (plan->wants_trust ||
                      s->options.resume == CW_RESUME_TRUST) &&
                     plan->has_identity && s->has_identity &&
                     memcmp(plan->identity, s->identity, sizeof(s->identity)) ==
                         0;
    memcpy(s->plan.secret, plan->secret, sizeof(s->plan.secret));
    return 0;
}

void source_forget_told(struct source *s)
{
    chunkset_fini(&s->plan.told);
    digest_close(TAKE_PTR(s->plan.told_digests));
}

/* The first HAVE makes the room to keep what is told. */
static int hear_have(struct source *s, const struct message_have *have)
{
    struct source_plan *plan = &s->plan;
    struct error err;

    if (!plan->told_digests &&
        (chunkset_init(&plan->told, grid_count(plan->virtual_bytes), &err) <
             0 ||
         digest_open(source_digest(s), plan->virtual_bytes, &plan->told_digests,
                     &err) < 0)) {
        job_fail(&s->job, &err);
        return -1;
    }
    return have_hear(&s->session, have, &plan->told, plan->told_digests);
}

/* What the target holds, up to its GO. */
static int await_go(struct source *s)
{
    struct message message;
    uint64_t held;

    source_forget_told(s);
    for (;;) {
        int r = session_step(&s->session, &message);

        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        if (message.type == MESSAGE_GO)
            break;
        if (message.type != MESSAGE_HAVE)
            return session_unexpected(&s->session, &message);
        if (hear_have(s, &message.have) < 0)
            return -1;
    }
    held = s->plan.told_digests ? chunkset_count(&s->plan.told) : 0;
    if (held > 0)
        log_info("the target holds %" PRIu64 " of %" PRIu64
                 " chunks already; only what differs is sent",
                 held, grid_count(s->plan.virtual_bytes));
    if (held > s->held_most)
        s->held_most = held;
    return 0;
}

int source_negotiate(struct source *s)
{
    struct message message;
    int r;

    if (say_hello(s) < 0)
        return -1;
    r = await_plan(s, &message);
    if (r > 0)
        s->done = message.done;
    if (r != 0)
        return r;
    return take_plan(s, &message.plan) < 0 ? -1 : await_go(s);
}
