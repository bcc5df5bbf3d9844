#include "target/target_recognize.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/chunk_grid.h"
#include "transfer/disk_scan.h"
#include "transfer/readback.h"

/* Where filesystems and tables begin: a new one there changes
 * these first. */
#define STARTS_MAX 62U

/* One in so many samples with data may differ from what a record claims: the
 * disk is ours, and some of it is damaged. */
#define DAMAGED_SHARE 4U
/* Where the user agreed to lose what is there, comparing is worth its reading
 * if one in so many samples with data is the source's. */
#define USEFUL_SHARE 8U

_Static_assert(MESSAGE_SUMS_BYTES == DIGEST_SUMS_BYTES, "the same sums");

struct sample {
    uint64_t chunk;
    bool is_start;    /* of the disk, a partition, or the last chunk */
    bool is_zero;     /* here */
    bool is_answered; /* by the source: */
    bool is_zero_there;
    bool is_claimed; /* by the record, */
    bool is_as_claimed;
    uint8_t here[DIGEST_SUMS_BYTES]; /* where not zero */
    uint8_t there[DIGEST_SUMS_BYTES];
};

struct target_recognition {
    struct target *target;
    struct digest *digest; /* of the samples here */
    bool is_blank;         /* the device shows no signature and no data */
    bool is_tail_used;     /* data after the end of the disk */
    bool is_asked;
    size_t answered; /* samples before it have their answer */
    size_t count;
    uint64_t chunks[MESSAGE_SAMPLE_MAX];
    struct sample samples[MESSAGE_SAMPLE_MAX];
};

/* ---- which chunks ---- */

static uint64_t random_below(uint64_t limit)
{
    uint64_t value = 0;

    if (limit == 0 || getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
        return 0;
    return value % limit;
}

static void add_sample(struct target_recognition *r, uint64_t chunk,
                       bool is_start)
{
    if (r->count == MESSAGE_SAMPLE_MAX ||
        chunk >= r->target->plan.on_disk.chunks)
        return;
    for (size_t i = 0; i < r->count; i++) {
        if (r->samples[i].chunk != chunk)
            continue;
        r->samples[i].is_start |= is_start;
        return;
    }
    r->samples[r->count++] = (struct sample){ .chunk = chunk,
                                              .is_start = is_start };
}

static int by_chunk(const void *a, const void *b)
{
    uint64_t left = ((const struct sample *)a)->chunk;
    uint64_t right = ((const struct sample *)b)->chunk;

    return left < right ? -1 : left > right;
}

/* Random ones, one in each part of the disk: they fill up what is left. */
static void choose_random(struct target_recognition *r)
{
    uint64_t chunks = r->target->plan.on_disk.chunks;
    uint64_t left = MESSAGE_SAMPLE_MAX - r->count;
    uint64_t part = chunks / left + (chunks % left != 0);

    for (uint64_t at = 0; at < chunks; at += part)
        add_sample(r,
                   at + random_below(chunks - at < part ? chunks - at : part),
                   false);
}

static void choose(struct target_recognition *r)
{
    uint64_t starts[STARTS_MAX], chunks = r->target->plan.on_disk.chunks;
    size_t count = sink_partition_starts(r->target->sink, starts, STARTS_MAX);

    add_sample(r, 0, true);
    if (chunks > 0)
        add_sample(r, chunks - 1, true);
    for (size_t i = 0; i < count; i++)
        add_sample(r, starts[i] / CHUNK_BYTES, true);
    if (r->count < MESSAGE_SAMPLE_MAX)
        choose_random(r);
    qsort(r->samples, r->count, sizeof(r->samples[0]), by_chunk);
    for (size_t i = 0; i < r->count; i++)
        r->chunks[i] = r->samples[i].chunk;
}

/* ---- here ---- */

static struct sample *sample_of(struct target_recognition *r, uint64_t chunk)
{
    struct sample key = { .chunk = chunk };
    struct sample *found = bsearch(&key, r->samples, r->count, sizeof(key),
                                   by_chunk);

    assert(found != NULL); /* only chosen chunks are read */
    return found;
}

static int judge_chunk(void *opaque, uint64_t chunk, const uint8_t *leaves,
                       const uint8_t *sums, struct error *err)
{
    struct target_recognition *r = opaque;
    const struct checkpointer *checkpointer = &r->target->checkpointer;
    struct sample *sample = sample_of(r, chunk);

    (void)err;
    sample->is_zero = leaves == NULL;
    if (sums)
        memcpy(sample->here, sums, sizeof(sample->here));
    sample->is_claimed = checkpointer_claims(checkpointer, chunk);
    sample->is_as_claimed = sample->is_claimed &&
                            digest_agrees(r->digest, checkpointer->recorded,
                                          chunk);
    return 0;
}

static int read_samples(struct target_recognition *r, struct error *err)
{
    struct target *t = r->target;
    struct disk_scan scan = {
        .engine = t->job.resources.queue_engine,
        .image = readback_image(&t->job, t->sink),
        .virtual_bytes = t->session.hello.virtual_bytes,
        .stop = &t->job.state.stop,
        .chosen = r->chunks,
        .chosen_count = r->count,
        .wants_sums = true,
        .found = judge_chunk,
        .opaque = r,
    };

    if (digest_open((enum digest_algorithm)t->session.hello.digest,
                    scan.virtual_bytes, &r->digest, err) < 0)
        return -1;
    sink_drop_cache(t->sink);
    if (disk_scan_run(&scan, r->digest, err) < 0)
        return readback_failed(err, "what the target holds");
    return 0;
}

int target_recognize_read(void *arg, struct error *err)
{
    struct target *t = arg;
    struct target_recognition *r = calloc(1, sizeof(*r));
    char contents[160];

    if (!r)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "keep samples");
    target_recognize_end(t);
    t->recognition = r;
    r->target = t;
    r->is_blank = sink_describe(t->sink, contents, sizeof(contents));
    if (r->is_blank)
        return 0;
    r->is_tail_used = !t->options.keep_tail &&
                      !sink_tail_is_blank(t->sink,
                                          t->session.hello.virtual_bytes);
    choose(r);
    return r->count > 0 ? read_samples(r, err) : 0;
}

/* ---- there ---- */

bool target_recognize_waits(const struct target *t)
{
    const struct target_recognition *r = t->recognition;

    return r && r->is_asked && r->answered < r->count;
}

int target_recognize_ask(struct target *t)
{
    struct message message = { .type = MESSAGE_SAMPLE };
    struct target_recognition *r = t->recognition;

    if (r->is_blank || r->count == 0 || !t->session.hello.answers_sample)
        return 0;
    message.sample.count = (uint16_t)r->count;
    memcpy(message.sample.chunks, r->chunks, r->count * sizeof(r->chunks[0]));
    r->is_asked = true;
    return session_send(&t->session.control, &message);
}

/* The next chunk asked for: all zero, or its sums. */
int target_recognize_hear(struct target *t, const struct message *message)
{
    struct target_recognition *r = t->recognition;
    struct sample *sample = &r->samples[r->answered];
    bool is_zero = message->type == MESSAGE_HAVE;

    if (is_zero
            ? message->have.first != sample->chunk ||
                  message->have.count != 1 || message->have.digest_bytes != 0
            : message->leaves.first != sample->chunk ||
                  message->leaves.count != 1 || !message->leaves.sums)
        return session_unexpected(&t->session.control, message);
    sample->is_answered = true;
    sample->is_zero_there = is_zero;
    if (!is_zero)
        memcpy(sample->there, message->leaves.sums, sizeof(sample->there));
    r->answered++;
    return 0;
}

/* ---- the verdict ---- */

enum kind {
    EMPTY,
    EXPLAINED,
    UNEXPLAINED,
    UNKNOWN
};

/* Is each block that is not zero here the same there? */
static enum kind compare_blocks(const struct target_recognition *r,
                                const struct sample *sample)
{
    uint64_t disk_bytes = r->target->session.hello.virtual_bytes;
    size_t len = (size_t)chunk_grid_length(disk_bytes, sample->chunk);
    uint8_t zeros[DIGEST_SUMS_BYTES];
    enum kind kind = EMPTY;

    digest_zero_sums(len, zeros);
    for (size_t at = 0; at < DIGEST_SUMS_BYTES; at += DIGEST_SUM_BYTES) {
        if (at / DIGEST_SUM_BYTES * BLOCK_BYTES >= len ||
            memcmp(sample->here + at, zeros + at, DIGEST_SUM_BYTES) == 0)
            continue;
        if (sample->is_zero_there ||
            memcmp(sample->here + at, sample->there + at, DIGEST_SUM_BYTES) !=
                0)
            return UNEXPLAINED;
        kind = EXPLAINED;
    }
    return kind;
}

static enum kind judge_sample(const struct target_recognition *r,
                              const struct sample *sample)
{
    if (sample->is_zero)
        return EMPTY;
    if (sample->is_as_claimed)
        return EXPLAINED;
    if (sample->is_answered)
        return compare_blocks(r, sample);
    return sample->is_claimed || sample->is_start ? UNEXPLAINED : UNKNOWN;
}

struct tally {
    size_t explained, unexplained;
    bool is_start_strange;
    uint64_t strange; /* the first chunk that is */
};

static struct tally count_samples(const struct target_recognition *r)
{
    struct tally tally = { .strange = UINT64_MAX };

    for (size_t i = 0; i < r->count; i++) {
        enum kind kind = judge_sample(r, &r->samples[i]);

        tally.explained += kind == EXPLAINED;
        if (kind != UNEXPLAINED)
            continue;
        tally.unexplained++;
        tally.is_start_strange |= r->samples[i].is_start;
        if (tally.strange == UINT64_MAX)
            tally.strange = r->samples[i].chunk;
    }
    return tally;
}

enum target_recognized target_recognize_judge(const struct target *t)
{
    const struct target_recognition *r = t->recognition;
    bool has_claims = checkpointer_claims_any(&t->checkpointer);
    size_t allowed;
    struct tally tally;

    if (r->is_blank)
        return TARGET_RECOGNIZED_BLANK;
    tally = count_samples(r);
    allowed = has_claims ? tally.explained / DAMAGED_SHARE : 0;
    log_debug("%s: of %zu samples %zu are this job's, %zu are not",
              t->options.destination, r->count, tally.explained,
              tally.unexplained);
    if (tally.explained > 0 && !tally.is_start_strange && !r->is_tail_used &&
        tally.unexplained <= allowed)
        return TARGET_RECOGNIZED_OURS;
    if (tally.unexplained > 0)
        log_info("%s: what it holds at %" PRIu64 " is not the source's",
                 t->options.destination, tally.strange * CHUNK_BYTES);
    if (tally.explained * USEFUL_SHARE >= tally.explained + tally.unexplained &&
        tally.explained > 0)
        return TARGET_RECOGNIZED_PART;
    return TARGET_RECOGNIZED_OTHER;
}

void target_recognize_end(struct target *t)
{
    if (!t->recognition)
        return;
    digest_close(t->recognition->digest);
    free(t->recognition);
    t->recognition = NULL;
}
