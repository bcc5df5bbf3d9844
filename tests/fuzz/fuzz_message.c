/* Control messages of a hostile peer: refused, or safe to use. */
#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

static void check_text(const char *text, size_t capacity)
{
    size_t len = strnlen(text, capacity);

    assert(len < capacity);
    for (size_t i = 0; i < len; i++)
        assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_message(const struct message *m, const uint8_t *in,
                          size_t len)
{
    switch (m->type) {
    case MESSAGE_HELLO:
        check_text(m->hello.job, sizeof(m->hello.job));
        check_text(m->hello.format, sizeof(m->hello.format));
        check_text(m->hello.software, sizeof(m->hello.software));
        assert(m->hello.lanes >= 1 && m->hello.lanes <= MESSAGE_MAX_LANES);
        return;
    case MESSAGE_PLAN:
        check_text(m->plan.software, sizeof(m->plan.software));
        return;
    case MESSAGE_HAVE:
        assert(m->have.digests >= in &&
               (size_t)m->have.count * m->have.digest_bytes <=
                   (size_t)(in + len - m->have.digests));
        return;
    case MESSAGE_JOIN: assert(m->join.lane < MESSAGE_MAX_LANES); return;
    case MESSAGE_ERROR:
        check_text(m->error.text, sizeof(m->error.text));
        return;
    case MESSAGE_SAMPLE:
        assert(m->sample.count <= MESSAGE_SAMPLE_MAX);
        for (size_t i = 1; i < m->sample.count; i++)
            assert(m->sample.chunks[i] > m->sample.chunks[i - 1]);
        return;
    case MESSAGE_TREE:
        assert(m->tree.bytes >= in &&
               m->tree.len <= (size_t)(in + len - m->tree.bytes));
        assert(m->tree.offset + m->tree.len <= MESSAGE_TREE_BYTES);
        return;
    case MESSAGE_GO:
    case MESSAGE_PROGRESS:
    case MESSAGE_FINISH:
    case MESSAGE_DONE:
    case MESSAGE_BYE: return;
    case MESSAGE_LEAVES:
        assert(m->leaves.digests >= in &&
               (size_t)m->leaves.count * MESSAGE_CHUNK_LEAVES *
                       m->leaves.digest_bytes <=
                   (size_t)(in + len - m->leaves.digests));
        assert(!m->leaves.sums || m->leaves.count <= MESSAGE_SUMS_MAX);
        assert(!m->leaves.sums ||
               (m->leaves.sums >= in &&
                (size_t)m->leaves.count * MESSAGE_SUMS_BYTES <=
                    (size_t)(in + len - m->leaves.sums)));
        return;
    }
    abort(); /* a type that does not exist */
}

/* Options may come in any order, among unknown ones, and be empty of
 * meaning: we say those that mean something, behind the fields. */
static bool has_options(const struct message *m)
{
    return (m->type == MESSAGE_HELLO &&
            (m->hello.codecs != 0 || m->hello.has_identity ||
             m->hello.asks_delta || m->hello.takes_sums ||
             m->hello.padding_bytes != 0 || m->hello.takes_parts ||
             m->hello.takes_missing || m->hello.answers_sample ||
             m->hello.asks_trust || m->hello.has_finished ||
             m->hello.pass != 0 || m->hello.next_pass_s != 0 ||
             m->hello.tree_bytes != 0 || m->hello.file_mode != 0 ||
             m->hello.stored_bytes != 0)) ||
           (m->type == MESSAGE_PLAN &&
            (m->plan.codecs != 0 || m->plan.has_identity ||
             m->plan.wants_trust || m->plan.surveys || m->plan.has_sums ||
             m->plan.takes_passes)) ||
           (m->type == MESSAGE_LEAVES && m->leaves.sums) ||
           (m->type == MESSAGE_HAVE && m->have.is_missing) ||
           (m->type == MESSAGE_DONE && m->done.unverified_bytes != 0) ||
           (m->type == MESSAGE_FINISH &&
            (m->finish.unread_bytes != 0 || m->finish.is_mixed)) ||
           (m->type == MESSAGE_PROGRESS && m->progress.has_waits) ||
           (m->type == MESSAGE_ERROR && m->error.has_space);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[MESSAGE_BUFFER_BYTES];
    static struct message message, back;
    enum message_type type;
    uint32_t payload;
    size_t encoded;

    if (len < MESSAGE_HEADER_BYTES ||
        message_decode_header(data, &type, &payload) != MESSAGE_OK)
        return 0;
    assert(payload <= MESSAGE_MAX_BYTES);
    data += MESSAGE_HEADER_BYTES;
    len -= MESSAGE_HEADER_BYTES;
    if (message_decode(type, data, len, &message) != MESSAGE_OK)
        return 0;
    check_message(&message, data, len);

    /* What we understood is what we would say. */
    encoded = message_encode(again, &message);
    assert(encoded - MESSAGE_HEADER_BYTES <= len);
    assert(message_decode(type, again + MESSAGE_HEADER_BYTES,
                          encoded - MESSAGE_HEADER_BYTES, &back) == MESSAGE_OK);
    assert(has_options(&message) == has_options(&back));
    assert(has_options(&message) || encoded - MESSAGE_HEADER_BYTES != len ||
           memcmp(again + MESSAGE_HEADER_BYTES, data,
                  encoded - MESSAGE_HEADER_BYTES) == 0);
    return 0;
}
