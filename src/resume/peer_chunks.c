#include "resume/peer_chunks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "plan/chunk_grid.h"

/* How soon a lane that waits sees that the job is to end. */
#define LOOK_MS 50U

#define LEAF_GRAINS (DIGEST_LEAF_BYTES / DIGEST_GRAIN_BYTES)
/* A leaf with fewer grains that are the same is cheaper sent than read again
 * over there; and new content may have the sum of old by chance. */
#define SAME_GRAINS_LEAST 4U
/* After so many leaves of a chunk, and none with them, it is new as a whole. */
#define IN_VAIN_MOST 4U

int told_open(struct told *told, enum digest_algorithm algorithm,
              uint64_t virtual_bytes, const struct message_plan *plan,
              struct error *err)
{
    pthread_condattr_t attr;

    told->is_open = true;
    told->surveys = plan->surveys;
    pthread_mutex_init(&told->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&told->more, &attr);
    pthread_condattr_destroy(&attr);
    if (chunkset_init(&told->chunks, grid_count(virtual_bytes), err) < 0 ||
        digest_open(algorithm, virtual_bytes, &told->digests, err) < 0)
        return -1;
    if (!plan->surveys)
        return 0;
    return leaves_open(&told->leaves, digest_each(told->digests),
                       plan->has_sums, err);
}

/* ---- hearing ---- */

static int refuse(struct session *session, const char *type, uint64_t first,
                  unsigned count, const char *why)
{
    struct error err;

    error_set(&err, ERROR_PROTOCOL, 0,
              "target sent %s for %u chunks from %" PRIu64 ": %s", type, count,
              first, why);
    job_fail(session->job, &err);
    return -1;
}

/* Are these chunks of the disk, and new? */
static int check_range(const struct told *told, struct session *session,
                       const char *type, uint64_t first, unsigned count)
{
    uint64_t next, n;

    if (first >= told->chunks.chunks || count > told->chunks.chunks - first)
        return refuse(session, type, first, count, "not of this disk");
    if (chunkset_next(&told->chunks, first, &next, &n) && next < first + count)
        return refuse(session, type, first, count, "they came before");
    return 0;
}

/* From now on lanes may find them. */
static void publish(struct told *told, uint64_t first, unsigned count)
{
    pthread_mutex_lock(&told->lock);
    chunkset_add(&told->chunks, first, count);
    pthread_cond_broadcast(&told->more);
    pthread_mutex_unlock(&told->lock);
}

static int hear_have(struct told *told, struct session *session,
                     const struct message_have *have)
{
    size_t each = digest_each(told->digests);

    if (check_range(told, session, "HAVE", have->first, have->count) < 0)
        return -1;
    if (have->digest_bytes != 0 && have->digest_bytes != each)
        return refuse(session, "HAVE", have->first, have->count,
                      "digests of another kind");
    for (unsigned i = 0; i < have->count; i++) {
        if (have->digest_bytes == 0)
            digest_add_zero(told->digests, have->first + i);
        else
            digest_set(told->digests, have->first + i,
                       have->digests + i * each);
    }
    publish(told, have->first, have->count);
    return 0;
}

static int hear_leaves(struct told *told, struct session *session,
                       const struct message_leaves *message)
{
    size_t each = digest_each(told->digests);

    if (check_range(told, session, "LEAVES", message->first, message->count) <
        0)
        return -1;
    if (message->digest_bytes != each)
        return refuse(session, "LEAVES", message->first, message->count,
                      "digests of another kind");
    if (told->leaves.sums && !message->sums)
        return refuse(session, "LEAVES", message->first, message->count,
                      "no sums, which PLAN said");
    for (unsigned i = 0; i < message->count; i++) {
        const uint8_t *leaves = message->digests +
                                i * each * MESSAGE_CHUNK_LEAVES;

        digest_add_leaves(told->digests, message->first + i, leaves);
        if (!leaves_put(&told->leaves, message->first + i, leaves,
                        message->sums ? message->sums + i * MESSAGE_SUMS_BYTES
                                      : NULL))
            return refuse(session, "LEAVES", message->first, message->count,
                          "too many ahead of what was sent");
    }
    publish(told, message->first, message->count);
    return 0;
}

int told_hear(struct told *told, struct session *session,
              const struct message *message)
{
    if (message->type == MESSAGE_HAVE)
        return hear_have(told, session, &message->have);
    if (message->type == MESSAGE_LEAVES && told->surveys)
        return hear_leaves(told, session, &message->leaves);
    return session_unexpected(session, message);
}

uint64_t told_count(const struct told *told)
{
    return told->is_open ? chunkset_count(&told->chunks) : 0;
}

/* ---- asking ---- */

bool told_is_pending(const struct told *told, uint64_t chunk)
{
    return told->surveys && !chunkset_has(&told->chunks, chunk);
}

bool told_await(struct told *told, uint64_t chunk, const atomic_bool *stop)
{
    bool goes_on = true;

    if (!told_is_pending(told, chunk))
        return true;
    pthread_mutex_lock(&told->lock);
    while (!chunkset_has(&told->chunks, chunk) && goes_on) {
        uint64_t until_ns = clock_now_ns() + LOOK_MS * CLOCK_MS_NS;
        struct timespec until = {
            .tv_sec = (time_t)(until_ns / CLOCK_SECOND_NS),
            .tv_nsec = (long)(until_ns % CLOCK_SECOND_NS),
        };

        pthread_cond_timedwait(&told->more, &told->lock, &until);
        goes_on = !atomic_load(stop);
    }
    pthread_mutex_unlock(&told->lock);
    return goes_on;
}

bool told_agrees(const struct told *told, const struct digest *digest,
                 uint64_t chunk)
{
    return told->is_open && chunkset_has(&told->chunks, chunk) &&
           digest_agrees(told->digests, digest, chunk);
}

/* Adds the grains of a leaf that have the sums told, if there are enough of
 * them.  len: bytes of the leaf, which begins at grain first. */
static bool find_grains(const uint8_t *data, size_t len, size_t first,
                        const uint8_t *told_sums, struct grains *same)
{
    uint8_t sums[LEAF_GRAINS * DIGEST_SUM_BYTES];
    size_t count = grains_count(len), found = 0;
    struct grains more = *same;

    digest_sums(data, len, sums);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(sums + i * DIGEST_SUM_BYTES,
                   told_sums + (first + i) * DIGEST_SUM_BYTES,
                   DIGEST_SUM_BYTES) != 0)
            continue;
        grains_add(&more, first + i, first + i + 1);
        found++;
    }
    /* All of them cannot be: the leaf differs, so a sum deceives. */
    if (found < SAME_GRAINS_LEAST || found == count)
        return false;
    *same = more;
    return true;
}

void told_find_same(struct told *told, uint64_t chunk, const uint8_t *leaves,
                    const uint8_t *data, size_t len, struct told_same *same)
{
    uint8_t theirs[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    size_t each, in_vain = 0;

    *same = (struct told_same){ 0 };
    if (!told->surveys || !leaves_get(&told->leaves, chunk, theirs, sums))
        return;
    each = digest_each(told->digests);
    for (size_t i = 0; i * DIGEST_LEAF_BYTES < len; i++) {
        size_t at = i * DIGEST_LEAF_BYTES, first = i * LEAF_GRAINS;
        size_t left = len - at < DIGEST_LEAF_BYTES ? len - at
                                                   : DIGEST_LEAF_BYTES;

        if (memcmp(leaves + i * each, theirs + i * each, each) == 0)
            grains_add(&same->grains, first, first + grains_count(left));
        else if (!told->leaves.sums ||
                 (in_vain >= IN_VAIN_MOST && !same->is_patch))
            continue;
        else if (find_grains(data + at, left, first, sums, &same->grains))
            same->is_patch = true;
        else
            in_vain++;
    }
}

void told_drop(struct told *told, uint64_t first, uint64_t count)
{
    leaves_drop(&told->leaves, first, count);
}

void told_close(struct told *told)
{
    if (!told->is_open)
        return;
    leaves_close(&told->leaves);
    chunkset_fini(&told->chunks);
    digest_close(told->digests);
    pthread_cond_destroy(&told->more);
    pthread_mutex_destroy(&told->lock);
    *told = (struct told){ 0 };
}
