#include "source/source.h"

#include <inttypes.h>

#include "base/log.h"
#include "plan/chunk_grid.h"
#include "resume/source_identity.h"

/* Sets plan.is_trusting.  0 or -1. */
static int check_announced_chunks(void *arg, struct error *err)
{
    struct source *s = arg;
    struct disk_scan scan = source_survey(s);
    int r = source_check_announced(&scan, &s->plan.peer_chunks.chunks,
                                   s->plan.peer_chunks.digests, err);

    s->plan.is_trusting = r > 0;
    if (r == 0)
        log_warn("not trusting the target's chunks: a sample of them differs "
                 "from this disk");
    return r < 0 ? -1 : 0;
}

static bool is_wished(const struct source *s)
{
    return s->options.resume == CW_RESUME_TRUST;
}

int source_trust(struct source *s)
{
    s->plan.is_trusting = false;
    if (peer_chunks_count(&s->plan.peer_chunks) == 0 ||
        s->plan.peer_chunks.surveys)
        return 0;
    if (!s->wants_trust) {
        if (is_wished(s))
            log_info(
                "reading the whole image again: it may not be the one that "
                "the target's chunks came from");
        return 0;
    }
    if (source_can_sample(s->image)) {
        if (task_run(&s->task, &s->job, check_announced_chunks,
                     source_stay_alive, s) < 0)
            return -1;
    } else {
        s->plan.is_trusting = is_wished(s); /* no proof: the user decides */
    }
    if (s->plan.is_trusting)
        log_info("the image is unchanged: %" PRIu64
                 " chunks that the target holds are not read again",
                 peer_chunks_count(&s->plan.peer_chunks));
    return 0;
}
