/* source_sample.c - answers the samples that the target takes before PLAN. */
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/chunk_grid.h"
#include "resume/source_identity.h"

/* The answer about one chunk. */
struct answer {
    bool is_zero;
    uint8_t leaves[DIGEST_LEAVES_BYTES];
    uint8_t sums[DIGEST_SUMS_BYTES];
};

struct sampling {
    struct source *source;
    struct message_sample asked;
    struct answer answers[MESSAGE_SAMPLE_MAX];
};

/* The requested chunks are in ascending order. */
static struct answer *answer_of(struct sampling *s, uint64_t chunk)
{
    size_t low = 0, high = s->asked.count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->asked.chunks[middle] <= chunk)
            low = middle;
        else
            high = middle;
    }
    return &s->answers[low];
}

static int found(void *opaque, uint64_t chunk, const uint8_t *leaves,
                 const uint8_t *sums, struct error *err)
{
    struct answer *answer = answer_of(opaque, chunk);

    (void)err;
    answer->is_zero = leaves == NULL;
    if (!leaves)
        return 0;
    memcpy(answer->leaves, leaves, sizeof(answer->leaves));
    memcpy(answer->sums, sums, sizeof(answer->sums));
    return 0;
}

static int read_samples(void *arg, struct error *err)
{
    struct sampling *s = arg;
    struct disk_scan scan = source_survey(s->source);
    struct digest *digest;
    int r;

    if (digest_open(source_digest(s->source), scan.virtual_bytes, &digest,
                    err) < 0)
        return -1;
    scan.chosen = s->asked.chunks;
    scan.chosen_count = s->asked.count;
    scan.wants_sums = true;
    scan.found = found;
    scan.opaque = s;
    r = disk_scan_run(&scan, digest, err);
    digest_close(digest);
    return r;
}

static int stay_alive(void *arg)
{
    return source_stay_alive(((struct sampling *)arg)->source);
}

static int send_answer(struct source *s, uint64_t chunk,
                       const struct answer *answer)
{
    struct message message = { .type = MESSAGE_HAVE };

    if (answer->is_zero) {
        message.have = (struct message_have){ .first = chunk, .count = 1 };
        return session_send(&s->session, &message);
    }
    message.type = MESSAGE_LEAVES;
    message.leaves = (struct message_leaves){
        .first = chunk,
        .count = 1,
        .digest_bytes = (uint16_t)digest_bytes(source_digest(s)),
        .digests = answer->leaves,
        .sums = answer->sums,
    };
    return session_send(&s->session, &message);
}

static int check_asked(struct source *s, const struct message_sample *asked)
{
    uint64_t last = asked->chunks[asked->count - 1];
    struct error err;

    if (source_can_sample(s->image) &&
        last < chunk_grid_count(s->plan.virtual_bytes))
        return 0;
    error_set(&err, ERROR_PROTOCOL, 0,
              "target asked for a sample of chunk %" PRIu64
              ", which this source does not offer",
              last);
    job_state_fail(&s->job.state, &err);
    return -1;
}

int source_answer_sample(struct source *s, const struct message_sample *asked)
{
    struct sampling *sampling;
    struct error err;
    int r;

    if (check_asked(s, asked) < 0)
        return -1;
    sampling = calloc(1, sizeof(*sampling));
    if (!sampling) {
        error_set(&err, ERROR_SYSTEM, ENOMEM, "read samples");
        job_state_fail(&s->job.state, &err);
        return -1;
    }
    sampling->source = s;
    sampling->asked = *asked;
    r = task_run(&s->task, &s->job, read_samples, stay_alive, sampling);
    for (size_t i = 0; r == 0 && i < asked->count; i++)
        r = send_answer(s, asked->chunks[i], &sampling->answers[i]);
    free(sampling);
    return r;
}
