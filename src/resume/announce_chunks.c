#include "resume/announce_chunks.h"

#include <stdlib.h>

/* A lost lane leaves at most one part, and most parts are completed in the next
 * session.  Parts that are not announced are sent again. */
#define PARTS_MAX (2U * MESSAGE_MAX_LANES)

/* Number of chunks from first on, at most count, that are all zero or all not,
 * and fit into one HAVE. */
static uint64_t count_alike(const struct digest *digest, uint64_t first,
                            uint64_t count)
{
    bool is_zero = digest_is_zero(digest, first);
    uint64_t max = is_zero ? UINT16_MAX : MESSAGE_HAVE_MAX, n = 1;

    if (max > count)
        max = count;
    while (n < max && digest_is_zero(digest, first + n) == is_zero)
        n++;
    return n;
}

/* digest NULL: the chunks are zero, or missing. */
static int send_have(struct session *session, uint64_t first, uint64_t count,
                     const struct digest *digest, bool is_missing)
{
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = { .first = first,
                  .count = (uint16_t)count,
                  .is_missing = is_missing },
    };

    if (digest) {
        message.have.digests = digest_of(digest, first);
        message.have.digest_bytes = (uint16_t)digest_each(digest);
    }
    return session_send(session, &message);
}

int announce_chunks_held(struct session *session,
                         const struct chunk_bitmap *on_disk,
                         const struct digest *digest)
{
    uint64_t first, count;

    for (uint64_t at = 0; chunk_bitmap_next(on_disk, at, &first, &count);
         at = first + count) {
        bool is_zero = digest_is_zero(digest, first);

        count = count_alike(digest, first, count);
        if (send_have(session, first, count, is_zero ? NULL : digest, false) <
            0)
            return -1;
    }
    return 0;
}

static int announce_part(struct session *session, struct leaf_cache *leaves,
                         size_t digest_bytes, uint64_t chunk)
{
    uint8_t digests[DIGEST_LEAVES_BYTES];
    struct message message = {
        .type = MESSAGE_LEAVES,
        .leaves = { .first = chunk,
                    .count = 1,
                    .digest_bytes = (uint16_t)digest_bytes,
                    .digests = digests },
    };

    if (!leaf_cache_get(leaves, chunk, digests, NULL))
        return 0;
    return session_send(session, &message) < 0
               ? -1
               : (int)leaf_cache_count_held(digests, digest_bytes);
}

int announce_chunks_parts(struct session *session, struct leaf_cache *leaves,
                          size_t digest_bytes)
{
    uint64_t chunks[PARTS_MAX];
    unsigned count = leaf_cache_list(leaves, chunks, PARTS_MAX);
    int held = 0;

    for (unsigned i = 0; i < count; i++) {
        int n = announce_part(session, leaves, digest_bytes, chunks[i]);

        if (n < 0)
            return -1;
        held += n;
    }
    return held;
}

static int announce_gap(struct session *session, uint64_t at, uint64_t end)
{
    for (uint64_t n; at < end; at += n) {
        n = end - at < UINT16_MAX ? end - at : UINT16_MAX;
        if (send_have(session, at, n, NULL, true) < 0)
            return -1;
    }
    return 0;
}

int announce_chunks_missing(struct session *session,
                            const struct chunk_bitmap *set)
{
    uint64_t at = 0, first, count;

    while (chunk_bitmap_next(set, at, &first, &count)) {
        if (announce_gap(session, at, first) < 0)
            return -1;
        at = first + count;
    }
    return announce_gap(session, at, set->chunks);
}

int announce_chunks_found(struct session *session, uint64_t first,
                          uint64_t count, const struct digest *digest,
                          struct leaf_cache *leaves,
                          struct chunk_bitmap *announced)
{
    size_t each = digest_each(digest) * MESSAGE_CHUNK_LEAVES;
    uint8_t digests[MESSAGE_LEAVES_MAX * DIGEST_LEAVES_BYTES];
    uint8_t sums[MESSAGE_SUMS_MAX * MESSAGE_SUMS_BYTES];
    unsigned max = leaves->sums ? MESSAGE_SUMS_MAX : MESSAGE_LEAVES_MAX;
    uint64_t n = count_alike(digest, first, count);
    struct message message = { .type = MESSAGE_LEAVES };

    if (n > max && !digest_is_zero(digest, first))
        n = max;
    if (digest_is_zero(digest, first)) {
        chunk_bitmap_add(announced, first, n);
        return send_have(session, first, n, NULL, false) < 0 ? -1 : (int)n;
    }
    for (uint64_t i = 0; i < n; i++)
        if (!leaf_cache_get(leaves, first + i, digests + i * each,
                            leaves->sums ? sums + i * MESSAGE_SUMS_BYTES
                                         : NULL))
            abort();                       /* they stay until the chunk comes */
    chunk_bitmap_add(announced, first, n); /* from now on it may come */
    message.leaves = (struct message_leaves){
        .first = first,
        .count = (uint16_t)n,
        .digest_bytes = (uint16_t)digest_each(digest),
        .digests = digests,
        .sums = leaves->sums ? sums : NULL,
    };
    return session_send(session, &message) < 0 ? -1 : (int)n;
}
