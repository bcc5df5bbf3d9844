#include "resume/peer_chunks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "plan/chunk_grid.h"

/* How soon a lane that waits sees that the job is to end. */
#define LOOK_MS 50U

#define LEAF_GRAINS (LEAF_BYTES / DIGEST_GRAIN_BYTES)
/* A leaf with fewer grains that are the same is cheaper sent than read again
 * over there; and new content may have the sum of old by chance. */
#define SAME_GRAINS_MIN 4U
/* After so many leaves of a chunk, and none with them, it is new as a whole. */
#define IN_VAIN_MAX 4U

int peer_chunks_open(struct peer_chunks *peer_chunks,
                     enum digest_algorithm algorithm, uint64_t virtual_bytes,
                     const struct message_plan *plan, struct error *err)
{
    uint64_t chunks = chunk_grid_count(virtual_bytes);
    pthread_condattr_t attr;

    peer_chunks->is_open = true;
    peer_chunks->surveys = plan->surveys;
    peer_chunks->takes_parts = !plan->surveys;
    pthread_mutex_init(&peer_chunks->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&peer_chunks->more, &attr);
    pthread_condattr_destroy(&attr);
    if (chunk_bitmap_init(&peer_chunks->chunks, chunks, err) < 0 ||
        chunk_bitmap_init(&peer_chunks->missing, chunks, err) < 0 ||
        digest_open(algorithm, virtual_bytes, &peer_chunks->digests, err) < 0)
        return -1;
    if (!plan->surveys)
        return 0;
    return leaf_cache_open(&peer_chunks->leaves,
                           digest_each(peer_chunks->digests), plan->has_sums,
                           err);
}

/* ---- hearing ---- */

static int refuse(struct session *session, const char *type, uint64_t first,
                  unsigned count, const char *why)
{
    struct error err;

    error_set(&err, ERROR_PROTOCOL, 0,
              "target sent %s for %u chunks from %" PRIu64 ": %s", type, count,
              first, why);
    job_state_fail(&session->job->state, &err);
    return -1;
}

/* Are these chunks of the disk, and new? */
static int check_range(const struct peer_chunks *peer_chunks,
                       struct session *session, const char *type,
                       uint64_t first, unsigned count)
{
    uint64_t next, n;

    if (first >= peer_chunks->chunks.chunks ||
        count > peer_chunks->chunks.chunks - first)
        return refuse(session, type, first, count, "not of this disk");
    if (chunk_bitmap_next(&peer_chunks->chunks, first, &next, &n) &&
        next < first + count)
        return refuse(session, type, first, count, "they came before");
    return 0;
}

/* From now on lanes may find them. */
static void publish(struct peer_chunks *peer_chunks, uint64_t first,
                    unsigned count)
{
    pthread_mutex_lock(&peer_chunks->lock);
    chunk_bitmap_add(&peer_chunks->chunks, first, count);
    pthread_cond_broadcast(&peer_chunks->more);
    pthread_mutex_unlock(&peer_chunks->lock);
}

static int hear_have(struct peer_chunks *peer_chunks, struct session *session,
                     const struct message_have *have)
{
    size_t each = digest_each(peer_chunks->digests);

    if (check_range(peer_chunks, session, "HAVE", have->first, have->count) < 0)
        return -1;
    if (have->is_missing)
        chunk_bitmap_add(&peer_chunks->missing, have->first, have->count);
    if (have->digest_bytes != 0 && have->digest_bytes != each)
        return refuse(session, "HAVE", have->first, have->count,
                      "digests of another kind");
    for (unsigned i = 0; i < have->count; i++) {
        if (have->digest_bytes == 0)
            digest_add_zero(peer_chunks->digests, have->first + i);
        else
            digest_set(peer_chunks->digests, have->first + i,
                       have->digests + i * each);
    }
    publish(peer_chunks, have->first, have->count);
    return 0;
}

static int hear_leaves(struct peer_chunks *peer_chunks, struct session *session,
                       const struct message_leaves *message)
{
    size_t each = digest_each(peer_chunks->digests);

    if (check_range(peer_chunks, session, "LEAVES", message->first,
                    message->count) < 0)
        return -1;
    if (message->digest_bytes != each)
        return refuse(session, "LEAVES", message->first, message->count,
                      "digests of another kind");
    if (peer_chunks->leaves.sums && !message->sums)
        return refuse(session, "LEAVES", message->first, message->count,
                      "no sums, which PLAN said");
    for (unsigned i = 0; i < message->count; i++) {
        const uint8_t *leaves = message->digests +
                                i * each * MESSAGE_CHUNK_LEAVES;

        digest_add_leaves(peer_chunks->digests, message->first + i, leaves);
        if (!leaf_cache_put(
                &peer_chunks->leaves, message->first + i, leaves,
                message->sums ? message->sums + i * MESSAGE_SUMS_BYTES : NULL))
            return refuse(session, "LEAVES", message->first, message->count,
                          "too many ahead of what was sent");
    }
    publish(peer_chunks, message->first, message->count);
    return 0;
}

/* How many leaves of a chunk the target holds. */
static unsigned count_held(const uint8_t *leaves, size_t each)
{
    unsigned held = 0;

    for (unsigned i = 0; i < MESSAGE_CHUNK_LEAVES; i++)
        held += !leaf_cache_is_missing(leaves + i * each, each);
    return held;
}

/* Leaves of chunks that are not held as a whole.  Lanes do not run yet. */
static int hear_parts(struct peer_chunks *peer_chunks, struct session *session,
                      const struct message_leaves *message)
{
    size_t each = digest_each(peer_chunks->digests);
    struct error err;

    if (check_range(peer_chunks, session, "LEAVES", message->first,
                    message->count) < 0)
        return -1;
    if (message->digest_bytes != each)
        return refuse(session, "LEAVES", message->first, message->count,
                      "digests of another kind");
    if (peer_chunks->part_leaves == 0 &&
        leaf_cache_open(&peer_chunks->leaves, each, false, &err) < 0) {
        job_state_fail(&session->job->state, &err);
        return -1;
    }
    for (unsigned i = 0; i < message->count; i++) {
        const uint8_t *leaves = message->digests +
                                i * each * MESSAGE_CHUNK_LEAVES;
        uint8_t before[DIGEST_LEAVES_BYTES];

        if (leaf_cache_get(&peer_chunks->leaves, message->first + i, before,
                           NULL) ||
            !leaf_cache_put(&peer_chunks->leaves, message->first + i, leaves,
                            NULL))
            return refuse(session, "LEAVES", message->first, message->count,
                          "twice, or too many");
        peer_chunks->part_leaves += count_held(leaves, each);
    }
    return 0;
}

void peer_chunks_end_parts(struct peer_chunks *peer_chunks)
{
    peer_chunks->takes_parts = false;
}

int peer_chunks_hear(struct peer_chunks *peer_chunks, struct session *session,
                     const struct message *message)
{
    if (message->type == MESSAGE_HAVE)
        return hear_have(peer_chunks, session, &message->have);
    if (message->type == MESSAGE_LEAVES && peer_chunks->surveys)
        return hear_leaves(peer_chunks, session, &message->leaves);
    if (message->type == MESSAGE_LEAVES && peer_chunks->takes_parts)
        return hear_parts(peer_chunks, session, &message->leaves);
    return session_unexpected(session, message);
}

uint64_t peer_chunks_count(const struct peer_chunks *peer_chunks)
{
    return peer_chunks->is_open ? chunk_bitmap_count(&peer_chunks->chunks) -
                                      chunk_bitmap_count(&peer_chunks->missing)
                                : 0;
}

/* ---- asking ---- */

bool peer_chunks_is_pending(const struct peer_chunks *peer_chunks,
                            uint64_t chunk)
{
    return peer_chunks->surveys &&
           !chunk_bitmap_has(&peer_chunks->chunks, chunk);
}

bool peer_chunks_await(struct peer_chunks *peer_chunks, uint64_t chunk,
                       const atomic_bool *stop)
{
    bool goes_on = true;

    if (!peer_chunks_is_pending(peer_chunks, chunk))
        return true;
    pthread_mutex_lock(&peer_chunks->lock);
    while (!chunk_bitmap_has(&peer_chunks->chunks, chunk) && goes_on) {
        uint64_t until_ns = clock_now_ns() + LOOK_MS * CLOCK_MS_NS;
        struct timespec until = {
            .tv_sec = (time_t)(until_ns / CLOCK_SECOND_NS),
            .tv_nsec = (long)(until_ns % CLOCK_SECOND_NS),
        };

        pthread_cond_timedwait(&peer_chunks->more, &peer_chunks->lock, &until);
        goes_on = !atomic_load(stop);
    }
    pthread_mutex_unlock(&peer_chunks->lock);
    return goes_on;
}

bool peer_chunks_holds(const struct peer_chunks *peer_chunks, uint64_t chunk)
{
    return peer_chunks->is_open &&
           chunk_bitmap_has(&peer_chunks->chunks, chunk) &&
           !chunk_bitmap_has(&peer_chunks->missing, chunk);
}

bool peer_chunks_agrees(const struct peer_chunks *peer_chunks,
                        const struct digest *digest, uint64_t chunk)
{
    return peer_chunks_holds(peer_chunks, chunk) &&
           digest_agrees(peer_chunks->digests, digest, chunk);
}

/* Adds the grains of a leaf that have the sums told, if there are enough of
 * them.  len: bytes of the leaf, which begins at grain first. */
static bool find_grains(const uint8_t *data, size_t len, size_t first,
                        const uint8_t *told_sums, struct block_set *same)
{
    uint8_t sums[LEAF_GRAINS * DIGEST_SUM_BYTES];
    size_t count = block_set_count(len), found = 0;
    struct block_set more = *same;

    digest_sums(data, len, sums);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(sums + i * DIGEST_SUM_BYTES,
                   told_sums + (first + i) * DIGEST_SUM_BYTES,
                   DIGEST_SUM_BYTES) != 0)
            continue;
        block_set_add(&more, first + i, first + i + 1);
        found++;
    }
    /* All of them cannot be: the leaf differs, so a sum deceives. */
    if (found < SAME_GRAINS_MIN || found == count)
        return false;
    *same = more;
    return true;
}

void peer_chunks_find_same(struct peer_chunks *peer_chunks, uint64_t chunk,
                           const uint8_t *leaves, const uint8_t *data,
                           size_t len, struct peer_chunks_same *same)
{
    uint8_t theirs[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    size_t each, in_vain = 0;

    *same = (struct peer_chunks_same){ 0 };
    if (!leaf_cache_get(&peer_chunks->leaves, chunk, theirs, sums))
        return;
    each = digest_each(peer_chunks->digests);
    for (size_t i = 0; i * LEAF_BYTES < len; i++) {
        size_t at = i * LEAF_BYTES, first = i * LEAF_GRAINS;
        size_t left = len - at < LEAF_BYTES ? len - at : LEAF_BYTES;

        if (memcmp(leaves + i * each, theirs + i * each, each) == 0)
            block_set_add(&same->blocks, first, first + block_set_count(left));
        else if (!peer_chunks->leaves.sums ||
                 (in_vain >= IN_VAIN_MAX && !same->is_merge))
            continue;
        else if (find_grains(data + at, left, first, sums, &same->blocks))
            same->is_merge = true;
        else
            in_vain++;
    }
}

void peer_chunks_drop(struct peer_chunks *peer_chunks, uint64_t first,
                      uint64_t count)
{
    leaf_cache_drop(&peer_chunks->leaves, first, count);
}

void peer_chunks_close(struct peer_chunks *peer_chunks)
{
    if (!peer_chunks->is_open)
        return;
    leaf_cache_close(&peer_chunks->leaves);
    chunk_bitmap_fini(&peer_chunks->chunks);
    chunk_bitmap_fini(&peer_chunks->missing);
    digest_close(peer_chunks->digests);
    pthread_cond_destroy(&peer_chunks->more);
    pthread_mutex_destroy(&peer_chunks->lock);
    *peer_chunks = (struct peer_chunks){ 0 };
}
