#include "flow/have.h"

#include <inttypes.h>

/* Chunks from first on, at most count, that are alike zero or not. */
static uint64_t alike(const struct digest *digest, uint64_t first,
                      uint64_t count)
{
    bool is_zero = digest_is_zero(digest, first);
    uint64_t most = is_zero ? UINT16_MAX : MESSAGE_HAVE_MAX, n = 1;

    if (most > count)
        most = count;
    while (n < most && digest_is_zero(digest, first + n) == is_zero)
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

int have_tell(struct session *session, const struct chunkset *held,
              const struct digest *digest)
{
    uint64_t first, count;

    for (uint64_t at = 0; chunkset_next(held, at, &first, &count);
         at = first + count)
        if (tell_run(session, digest, first, count) < 0)
            return -1;
    return 0;
}

static int refuse(struct session *session, const struct message_have *have)
{
    struct error err;

    error_set(&err, ERROR_PROTOCOL, 0,
              "target sent HAVE for %u chunks from %" PRIu64
              " that are not of this disk, or came twice",
              have->count, have->first);
    job_fail(session->job, &err);
    return -1;
}

int have_hear(struct session *session, const struct message_have *have,
              struct chunkset *held, struct digest *digest)
{
    size_t each = digest_each(digest);

    if (have->first >= held->chunks ||
        have->count > held->chunks - have->first ||
        (have->digest_bytes != 0 && have->digest_bytes != each) ||
        !chunkset_add(held, have->first, have->count))
        return refuse(session, have);
    for (unsigned i = 0; i < have->count; i++) {
        if (have->digest_bytes == 0)
            digest_add_zero(digest, have->first + i);
        else
            digest_set(digest, have->first + i, have->digests + i * each);
    }
    return 0;
}
