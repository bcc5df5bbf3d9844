#include "resume/peer_chunks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "plan/chunk_grid.h"

/* How often a waiting lane checks whether the job stops. */
#define LOOK_MS 50U

/* A leaf with fewer equal blocks is cheaper to send than to read again on the
 * target; and new content may match an old sum by chance. */
#define SAME_BLOCKS_MIN 4U
/* After this many leaves of a chunk without an equal block, the chunk counts as
 * new. */
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

/* ---- announcements ---- */

/* Chunks of one announcement. */
struct announced {
    const char *type; /* of the message */
    uint64_t first;
    unsigned count;
};

static int refuse_announced(struct session *session, const struct announced *a,
                            const char *why)
{
    struct error err;

    error_set(&err, ERROR_PROTOCOL, 0,
              "target sent %s for %u chunks from %" PRIu64 ": %s", a->type,
              a->count, a->first, why);
    job_state_fail(&session->job->state, &err);
    return -1;
}

/* Checks that the chunks are on this disk, and are announced once.
 * digest_bytes: of each of its digests. */
static int check_announced(const struct peer_chunks *peer_chunks,
                           struct session *session, const struct announced *a,
                           size_t digest_bytes)
{
    uint64_t next, n;

    if (a->first >= peer_chunks->chunks.chunks ||
        a->count > peer_chunks->chunks.chunks - a->first)
        return refuse_announced(session, a, "not on this disk");
    if (chunk_bitmap_next(&peer_chunks->chunks, a->first, &next, &n) &&
        next < a->first + a->count)
        return refuse_announced(session, a, "they were announced before");
    if (digest_bytes != digest_each(peer_chunks->digests))
        return refuse_announced(session, a, "the digests have another length");
    return 0;
}

/* Lets lanes find the chunks. */
static void publish(struct peer_chunks *peer_chunks, uint64_t first,
                    unsigned count)
{
    pthread_mutex_lock(&peer_chunks->lock);
    chunk_bitmap_add(&peer_chunks->chunks, first, count);
    pthread_cond_broadcast(&peer_chunks->more);
    pthread_mutex_unlock(&peer_chunks->lock);
}

static int receive_have(struct peer_chunks *peer_chunks,
                        struct session *session,
                        const struct message_have *have)
{
    const struct announced a = { "HAVE", have->first, have->count };
    size_t each = digest_each(peer_chunks->digests);

    if (check_announced(peer_chunks, session, &a,
                        have->digest_bytes ? have->digest_bytes : each) < 0)
        return -1;
    if (have->is_missing)
        chunk_bitmap_add(&peer_chunks->missing, have->first, have->count);
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

static int receive_leaves(struct peer_chunks *peer_chunks,
                          struct session *session,
                          const struct message_leaves *message)
{
    const struct announced a = { "LEAVES", message->first, message->count };
    size_t each = digest_each(peer_chunks->digests);

    if (check_announced(peer_chunks, session, &a, message->digest_bytes) < 0)
        return -1;
    if (peer_chunks->leaves.sums && !message->sums)
        return refuse_announced(session, &a,
                                "without the sums that PLAN named");
    for (unsigned i = 0; i < message->count; i++) {
        const uint8_t *leaves = message->digests +
                                i * each * MESSAGE_CHUNK_LEAVES;

        digest_add_leaves(peer_chunks->digests, message->first + i, leaves);
        if (!leaf_cache_put(
                &peer_chunks->leaves, message->first + i, leaves,
                message->sums ? message->sums + i * MESSAGE_SUMS_BYTES : NULL))
            return refuse_announced(session, &a, "too far ahead of the data");
    }
    publish(peer_chunks, message->first, message->count);
    return 0;
}

/* Receives leaves of chunks that are not held as a whole, before lanes run. */
static int receive_parts(struct peer_chunks *peer_chunks,
                         struct session *session,
                         const struct message_leaves *message)
{
    const struct announced a = { "LEAVES", message->first, message->count };
    size_t each = digest_each(peer_chunks->digests);
    struct error err;

    if (check_announced(peer_chunks, session, &a, message->digest_bytes) < 0)
        return -1;
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
            return refuse_announced(session, &a, "twice, or too many");
        peer_chunks->part_leaves += leaf_cache_count_held(leaves, each);
    }
    return 0;
}

void peer_chunks_end_parts(struct peer_chunks *peer_chunks)
{
    peer_chunks->takes_parts = false;
}

int peer_chunks_receive(struct peer_chunks *peer_chunks,
                        struct session *session, const struct message *message)
{
    if (message->type == MESSAGE_HAVE)
        return receive_have(peer_chunks, session, &message->have);
    if (message->type == MESSAGE_LEAVES && peer_chunks->surveys)
        return receive_leaves(peer_chunks, session, &message->leaves);
    if (message->type == MESSAGE_LEAVES && peer_chunks->takes_parts)
        return receive_parts(peer_chunks, session, &message->leaves);
    return session_unexpected(session, message);
}

uint64_t peer_chunks_count(const struct peer_chunks *peer_chunks)
{
    return peer_chunks->is_open ? chunk_bitmap_count(&peer_chunks->chunks) -
                                      chunk_bitmap_count(&peer_chunks->missing)
                                : 0;
}

/* ---- questions of the lanes ---- */

bool peer_chunks_is_pending(const struct peer_chunks *peer_chunks,
                            uint64_t chunk)
{
    return peer_chunks->surveys &&
           !chunk_bitmap_has(&peer_chunks->chunks, chunk);
}

bool peer_chunks_await(struct peer_chunks *peer_chunks, uint64_t chunk,
                       const atomic_bool *stop)
{
    bool is_running = true;

    if (!peer_chunks_is_pending(peer_chunks, chunk))
        return true;
    pthread_mutex_lock(&peer_chunks->lock);
    while (!chunk_bitmap_has(&peer_chunks->chunks, chunk) && is_running) {
        uint64_t until_ns = clock_now_ns() + LOOK_MS * CLOCK_MS_NS;
        struct timespec until = {
            .tv_sec = (time_t)(until_ns / CLOCK_SECOND_NS),
            .tv_nsec = (long)(until_ns % CLOCK_SECOND_NS),
        };

        pthread_cond_timedwait(&peer_chunks->more, &peer_chunks->lock, &until);
        is_running = !atomic_load(stop);
    }
    pthread_mutex_unlock(&peer_chunks->lock);
    return is_running;
}

bool peer_chunks_holds(const struct peer_chunks *peer_chunks, uint64_t chunk)
{
    return peer_chunks->is_open &&
           chunk_bitmap_has(&peer_chunks->chunks, chunk) &&
           !chunk_bitmap_has(&peer_chunks->missing, chunk);
}

/* Adds the blocks of a leaf whose sums were announced, if there are enough of
 * them.  len: bytes of the leaf, which begins at block first. */
static bool find_same_blocks(const uint8_t *data, size_t len, size_t first,
                             const uint8_t *announced, struct block_set *same)
{
    uint8_t sums[LEAF_BLOCKS * DIGEST_SUM_BYTES];
    size_t count = block_set_count(len), found = 0;
    struct block_set more = *same;

    digest_sums(data, len, sums);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(sums + i * DIGEST_SUM_BYTES,
                   announced + (first + i) * DIGEST_SUM_BYTES,
                   DIGEST_SUM_BYTES) != 0)
            continue;
        block_set_add(&more, first + i, first + i + 1);
        found++;
    }
    /* Not all can be equal: the leaf differs, so some sum is wrong. */
    if (found < SAME_BLOCKS_MIN || found == count)
        return false;
    *same = more;
    return true;
}

/* Finds the blocks of a chunk that the target holds.  False: it announced no
 * leaves of the chunk. */
static bool find_same(struct peer_chunks *peer_chunks, struct chunk *chunk,
                      const uint8_t *leaves, struct peer_chunks_same *same)
{
    uint8_t theirs[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    size_t each = digest_each(peer_chunks->digests), in_vain = 0;

    if (!leaf_cache_get(&peer_chunks->leaves, chunk->index, theirs, sums))
        return false;
    if (peer_chunks->leaves.sums)
        chunk_clear(chunk);
    for (size_t i = 0; i * LEAF_BYTES < chunk->len; i++) {
        size_t at = i * LEAF_BYTES, first = i * LEAF_BLOCKS;
        size_t left = chunk->len - at;

        if (left > LEAF_BYTES)
            left = LEAF_BYTES;
        if (memcmp(leaves + i * each, theirs + i * each, each) == 0)
            block_set_add(&same->blocks, first, first + block_set_count(left));
        else if (!peer_chunks->leaves.sums ||
                 (in_vain >= IN_VAIN_MAX && !same->is_merge))
            continue;
        else if (find_same_blocks(chunk->buf + at, left, first, sums,
                                  &same->blocks))
            same->is_merge = true;
        else
            in_vain++;
    }
    return true;
}

enum peer_chunk peer_chunks_classify(struct peer_chunks *peer_chunks,
                                     const struct digest *digest,
                                     struct chunk *chunk, const uint8_t *leaves,
                                     struct peer_chunks_same *same)
{
    if (peer_chunks_holds(peer_chunks, chunk->index) &&
        digest_agrees(peer_chunks->digests, digest, chunk->index))
        return PEER_CHUNK_UNCHANGED;
    if (!leaves)
        return PEER_CHUNK_NEW;
    *same = (struct peer_chunks_same){ 0 };
    return find_same(peer_chunks, chunk, leaves, same) ? PEER_CHUNK_PARTIAL
                                                       : PEER_CHUNK_NEW;
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
