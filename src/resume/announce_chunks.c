#include "resume/announce_chunks.h"

#include <stdlib.h>

/* Lanes leave one each when they are lost, and most come whole in the next
 * session; what is not told is sent again. */
#define PARTS_MAX (2U * MESSAGE_MAX_LANES)

/* Chunks from first on, at most count, that are alike zero or not. */
static uint64_t alike(const struct digest *digest, uint64_t first,
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

static int tell_run(struct session *session, const struct digest *digest,
                    uint64_t first, uint64_t count)
{
    struct message message = { .type = MESSAGE_HAVE };

    while (count > 0) {
        uint64_t n = alike(digest, first, count);

        message.have = (struct message_have){
            .first = first,
            .count = (uint16_t)n,
            .digests = digest_of(digest, first),
        };
        if (!digest_is_zero(digest, first))
            message.have.digest_bytes = (uint16_t)digest_each(digest);
        if (session_send(session, &message) < 0)
            return -1;
        first += n;
        count -= n;
    }
    return 0;
}

int announce_chunks_tell(struct session *session,
                         const struct chunk_bitmap *on_disk,
                         const struct digest *digest)
{
    uint64_t first, count;

    for (uint64_t at = 0; chunk_bitmap_next(on_disk, at, &first, &count);
         at = first + count)
        if (tell_run(session, digest, first, count) < 0)
            return -1;
    return 0;
}

static int tell_part(struct session *session, struct leaf_cache *leaves,
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
    int held = 0;

    if (!leaf_cache_get(leaves, chunk, digests, NULL))
        return 0;
    for (unsigned i = 0; i < MESSAGE_CHUNK_LEAVES; i++)
        held += !leaf_cache_is_missing(digests + i * digest_bytes,
                                       digest_bytes);
    return session_send(session, &message) < 0 ? -1 : held;
}

int announce_chunks_tell_parts(struct session *session,
                               struct leaf_cache *leaves, size_t digest_bytes)
{
    uint64_t chunks[PARTS_MAX];
    unsigned count = leaf_cache_list(leaves, chunks, PARTS_MAX);
    int held = 0;

    for (unsigned i = 0; i < count; i++) {
        int n = tell_part(session, leaves, digest_bytes, chunks[i]);

        if (n < 0)
            return -1;
        held += n;
    }
    return held;
}

static int tell_missing(struct session *session, uint64_t first, uint64_t count)
{
    while (count > 0) {
        uint64_t n = count < UINT16_MAX ? count : UINT16_MAX;
        struct message message = {
            .type = MESSAGE_HAVE,
            .have = { .first = first,
                      .count = (uint16_t)n,
                      .is_missing = true },
        };

        if (session_send(session, &message) < 0)
            return -1;
        first += n;
        count -= n;
    }
    return 0;
}

int announce_chunks_missing(struct session *session,
                            const struct chunk_bitmap *set)
{
    uint64_t at = 0, first, count;

    while (chunk_bitmap_next(set, at, &first, &count)) {
        if (tell_missing(session, at, first - at) < 0)
            return -1;
        at = first + count;
    }
    return tell_missing(session, at, set->chunks - at);
}

static int tell_zeros(struct session *session, uint64_t first, unsigned count)
{
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = { .first = first, .count = (uint16_t)count },
    };

    return session_send(session, &message) < 0 ? -1 : (int)count;
}

int announce_chunks_tell_found(struct session *session, uint64_t first,
                               uint64_t count, const struct digest *digest,
                               struct leaf_cache *leaves,
                               struct chunk_bitmap *announced)
{
    size_t each = digest_each(digest) * MESSAGE_CHUNK_LEAVES;
    uint8_t digests[MESSAGE_LEAVES_MAX * DIGEST_LEAVES_BYTES];
    uint8_t sums[MESSAGE_SUMS_MAX * MESSAGE_SUMS_BYTES];
    unsigned max = leaves->sums ? MESSAGE_SUMS_MAX : MESSAGE_LEAVES_MAX;
    uint64_t n = alike(digest, first, count);
    struct message message = { .type = MESSAGE_LEAVES };

    if (n > max && !digest_is_zero(digest, first))
        n = max;
    if (digest_is_zero(digest, first)) {
        chunk_bitmap_add(announced, first, n);
        return tell_zeros(session, first, (unsigned)n);
    }
    for (uint64_t i = 0; i < n; i++)
        if (!leaf_cache_get(leaves, first + i, digests + i * each,
                            leaves->sums ? sums + i * MESSAGE_SUMS_BYTES
                                         : NULL))
            abort(); /* they are kept until the chunk comes */
    chunk_bitmap_add(announced, first, n); /* from here on it may come */
    message.leaves = (struct message_leaves){
        .first = first,
        .count = (uint16_t)n,
        .digest_bytes = (uint16_t)digest_each(digest),
        .digests = digests,
        .sums = leaves->sums ? sums : NULL,
    };
    return session_send(session, &message) < 0 ? -1 : (int)n;
}
