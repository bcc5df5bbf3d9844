#include "wire/message.h"

#include <string.h>

#include "base/bytes.h"

#define HEAD            MESSAGE_HEADER_BYTES
#define OPTION_SPACE    1U /* of ERROR */
#define OPTION_CODECS   1U /* of HELLO and PLAN */
#define OPTION_IDENTITY 2U /* of HELLO and PLAN */
#define OPTION_TRUST    3U /* of PLAN */
#define OPTION_DELTA    4U /* of HELLO: asked for; of PLAN: surveys */
#define OPTION_UNREAD   1U /* of FINISH */
#define OPTION_WAITS    1U /* of PROGRESS */
#define OPTION_FINISHED 5U /* of HELLO */
#define OPTION_HAS_SUMS 5U /* of PLAN */
#define OPTION_SUMS     6U /* of HELLO: taken */
#define OPTION_OF_SUMS  1U /* of LEAVES: they are */

#define WAITS_BYTES 16U

/* ---- writing: fields appended one after the other ---- */

struct writer {
    uint8_t *at;
};

static void put16(struct writer *w, uint16_t v)
{
    put_be16(w->at, v);
    w->at += sizeof(v);
}

static void put32(struct writer *w, uint32_t v)
{
    put_be32(w->at, v);
    w->at += sizeof(v);
}

static void put64(struct writer *w, uint64_t v)
{
    put_be64(w->at, v);
    w->at += sizeof(v);
}

static void put_raw(struct writer *w, const uint8_t *bytes, size_t len)
{
    if (len > 0) /* bytes may then be NULL */
        memcpy(w->at, bytes, len);
    w->at += len;
}

static void put_string(struct writer *w, const char *text, size_t capacity)
{
    size_t len = strnlen(text, capacity - 1);

    put16(w, (uint16_t)len);
    memcpy(w->at, text, len);
    w->at += len;
}

static void put_option(struct writer *w, uint16_t tag, uint16_t len)
{
    put16(w, tag);
    put16(w, len);
}

/* Old peers skip it, and nobody has to hear of what is not offered. */
static void put_codecs(struct writer *w, uint32_t codecs)
{
    if (codecs == 0)
        return;
    put_option(w, OPTION_CODECS, sizeof(codecs));
    put32(w, codecs);
}

static void put_identity(struct writer *w, bool has_identity,
                         const uint8_t *identity)
{
    if (!has_identity)
        return;
    put_option(w, OPTION_IDENTITY, MESSAGE_IDENTITY_BYTES);
    put_raw(w, identity, MESSAGE_IDENTITY_BYTES);
}

static void put_hello(struct writer *w, const struct message_hello *m)
{
    put16(w, m->version);
    put16(w, m->lanes);
    put32(w, m->chunk_bytes);
    put32(w, m->digest);
    put64(w, m->virtual_bytes);
    put64(w, m->data_bytes);
    put_string(w, m->job, sizeof(m->job));
    put_string(w, m->format, sizeof(m->format));
    put_string(w, m->software, sizeof(m->software));
    put_codecs(w, m->codecs);
    put_identity(w, m->has_identity, m->identity);
    if (m->asks_delta)
        put_option(w, OPTION_DELTA, 0);
    if (m->takes_sums)
        put_option(w, OPTION_SUMS, 0);
    if (!m->has_finished)
        return;
    put_option(w, OPTION_FINISHED, sizeof(m->root));
    put_raw(w, m->root, sizeof(m->root));
}

static void put_plan(struct writer *w, const struct message_plan *m)
{
    put16(w, m->lanes);
    put64(w, m->disk_bytes);
    put_raw(w, m->secret, sizeof(m->secret));
    put_string(w, m->software, sizeof(m->software));
    put_codecs(w, m->codecs);
    put_identity(w, m->has_identity, m->identity);
    if (m->wants_trust)
        put_option(w, OPTION_TRUST, 0);
    if (m->surveys)
        put_option(w, OPTION_DELTA, 0);
    if (m->has_sums)
        put_option(w, OPTION_HAS_SUMS, 0);
}

static void put_have(struct writer *w, const struct message_have *m)
{
    put64(w, m->first);
    put16(w, m->count);
    put16(w, m->digest_bytes);
    put_raw(w, m->digests, (size_t)m->count * m->digest_bytes);
}

static void put_leaves(struct writer *w, const struct message_leaves *m)
{
    put64(w, m->first);
    put16(w, m->count);
    put16(w, m->digest_bytes);
    put_raw(w, m->digests,
            (size_t)m->count * MESSAGE_CHUNK_LEAVES * m->digest_bytes);
    if (!m->sums)
        return;
    put_option(w, OPTION_OF_SUMS, (uint16_t)(m->count * MESSAGE_SUMS_BYTES));
    put_raw(w, m->sums, (size_t)m->count * MESSAGE_SUMS_BYTES);
}

static void put_join(struct writer *w, const struct message_join *m)
{
    put16(w, m->lane);
    put_raw(w, m->secret, sizeof(m->secret));
}

static void put_waits(struct writer *w, const struct message_waits *m)
{
    put64(w, m->disk_ns);
    put64(w, m->net_ns);
}

static void put_progress(struct writer *w, const struct message_progress *m)
{
    put64(w, m->handled_bytes);
    put64(w, m->data_bytes);
    put64(w, m->zero_bytes);
    put64(w, m->zeroed_bytes);
    put16(w, m->phase);
    if (!m->has_waits)
        return;
    put_option(w, OPTION_WAITS, WAITS_BYTES);
    put_waits(w, &m->waits);
}

static void put_error(struct writer *w, const struct message_error *m)
{
    put32(w, m->kind);
    put32(w, m->errnum);
    put64(w, m->offset);
    put_string(w, m->text, sizeof(m->text));
    if (!m->has_space)
        return;
    put_option(w, OPTION_SPACE, sizeof(m->space));
    for (size_t i = 0; i < MESSAGE_SPACE_COUNT; i++)
        put64(w, m->space[i]);
}

static void put_finish(struct writer *w, const struct message_finish *m)
{
    put_waits(w, &m->waits);
    put_raw(w, m->root, sizeof(m->root));
    if (m->unread_bytes == 0)
        return;
    put_option(w, OPTION_UNREAD, sizeof(m->unread_bytes));
    put64(w, m->unread_bytes);
}

static void put_done(struct writer *w, const struct message_done *m)
{
    put64(w, m->disk_bytes);
    put64(w, m->allocated_bytes);
    put_waits(w, &m->waits);
    put_raw(w, m->root, sizeof(m->root));
}

size_t message_encode(uint8_t out[MESSAGE_BUFFER_BYTES],
                      const struct message *message)
{
    struct writer w = { .at = out + HEAD };

    switch (message->type) {
    case MESSAGE_HELLO: put_hello(&w, &message->hello); break;
    case MESSAGE_PLAN: put_plan(&w, &message->plan); break;
    case MESSAGE_HAVE: put_have(&w, &message->have); break;
    case MESSAGE_LEAVES: put_leaves(&w, &message->leaves); break;
    case MESSAGE_JOIN: put_join(&w, &message->join); break;
    case MESSAGE_PROGRESS: put_progress(&w, &message->progress); break;
    case MESSAGE_ERROR: put_error(&w, &message->error); break;
    case MESSAGE_DONE: put_done(&w, &message->done); break;
    case MESSAGE_FINISH: put_finish(&w, &message->finish); break;
    case MESSAGE_GO:
    case MESSAGE_BYE: break;
    }

    put_be16(out, (uint16_t)message->type);
    put_be16(out + 2, 0);
    put_be32(out + 4, (uint32_t)(w.at - out - HEAD));
    return (size_t)(w.at - out);
}

/* ---- reading: fields taken one after the other, the first fault kept ---- */

struct reader {
    const uint8_t *at;
    size_t left;
    enum message_result fault;
};

/* The next len bytes, or NULL and a fault. */
static const uint8_t *take(struct reader *r, size_t len)
{
    const uint8_t *at = r->at;

    if (r->fault == MESSAGE_OK && len > r->left)
        r->fault = MESSAGE_SHORT;
    if (r->fault != MESSAGE_OK)
        return NULL;
    r->at += len;
    r->left -= len;
    return at;
}

static uint16_t take16(struct reader *r)
{
    const uint8_t *p = take(r, 2);

    return p ? get_be16(p) : 0;
}

static uint32_t take32(struct reader *r)
{
    const uint8_t *p = take(r, 4);

    return p ? get_be32(p) : 0;
}

static uint64_t take64(struct reader *r)
{
    const uint8_t *p = take(r, 8);

    return p ? get_be64(p) : 0;
}

static void take_raw(struct reader *r, uint8_t *out, size_t len)
{
    const uint8_t *p = take(r, len);

    if (p)
        memcpy(out, p, len);
}

static void check(struct reader *r, bool valid)
{
    if (r->fault == MESSAGE_OK && !valid)
        r->fault = MESSAGE_BAD_VALUE;
}

/* Printable, and valid enough to go to a terminal or a log as it is: a peer
 * must not be able to send escape sequences into our log. */
static bool is_printable(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] < 0x20 || p[i] == 0x7f)
            return false;
    return true;
}

static void take_string(struct reader *r, char *out, size_t capacity)
{
    size_t len = take16(r);
    const uint8_t *p;

    check(r, len < capacity);
    p = take(r, len);
    check(r, !p || is_printable(p, len));
    if (!p)
        len = 0;
    else
        memcpy(out, p, len);
    out[len] = '\0';
}

static void take_hello(struct reader *r, struct message_hello *m)
{
    m->version = take16(r);
    m->lanes = take16(r);
    m->chunk_bytes = take32(r);
    m->digest = take32(r);
    m->virtual_bytes = take64(r);
    m->data_bytes = take64(r);
    take_string(r, m->job, sizeof(m->job));
    take_string(r, m->format, sizeof(m->format));
    take_string(r, m->software, sizeof(m->software));
    check(r, m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
                 m->virtual_bytes <= INT64_MAX &&
                 m->data_bytes <= m->virtual_bytes);
}

static void take_plan(struct reader *r, struct message_plan *m)
{
    m->lanes = take16(r);
    m->disk_bytes = take64(r);
    take_raw(r, m->secret, sizeof(m->secret));
    take_string(r, m->software, sizeof(m->software));
    check(r, m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
                 m->disk_bytes <= INT64_MAX);
}

static void take_have(struct reader *r, struct message_have *m)
{
    m->first = take64(r);
    m->count = take16(r);
    m->digest_bytes = take16(r);
    check(r, m->count >= 1 &&
                 (m->count <= MESSAGE_HAVE_MAX || m->digest_bytes == 0) &&
                 m->digest_bytes <= MESSAGE_DIGEST_BYTES &&
                 m->first <= INT64_MAX);
    m->digests = take(r, (size_t)m->count * m->digest_bytes);
}

static void take_leaves(struct reader *r, struct message_leaves *m)
{
    m->first = take64(r);
    m->count = take16(r);
    m->digest_bytes = take16(r);
    check(r, m->count >= 1 && m->count <= MESSAGE_LEAVES_MAX &&
                 m->digest_bytes >= 1 &&
                 m->digest_bytes <= MESSAGE_DIGEST_BYTES &&
                 m->first <= INT64_MAX);
    m->digests = take(r, (size_t)m->count * MESSAGE_CHUNK_LEAVES *
                             m->digest_bytes);
}

static void take_join(struct reader *r, struct message_join *m)
{
    m->lane = take16(r);
    take_raw(r, m->secret, sizeof(m->secret));
    check(r, m->lane < MESSAGE_MAX_LANES);
}

static void take_progress(struct reader *r, struct message_progress *m)
{
    m->handled_bytes = take64(r);
    m->data_bytes = take64(r);
    m->zero_bytes = take64(r);
    m->zeroed_bytes = take64(r);
    m->phase = take16(r);
}

static void take_error(struct reader *r, struct message_error *m)
{
    m->kind = take32(r);
    m->errnum = take32(r);
    m->offset = take64(r);
    take_string(r, m->text, sizeof(m->text));
    check(r, m->kind != 0 && m->kind <= 255 && m->errnum <= 4095);
}

static void take_waits(struct reader *r, struct message_waits *m)
{
    m->disk_ns = take64(r);
    m->net_ns = take64(r);
}

static void take_finish(struct reader *r, struct message_finish *m)
{
    take_waits(r, &m->waits);
    take_raw(r, m->root, sizeof(m->root));
}

static void take_done(struct reader *r, struct message_done *m)
{
    m->disk_bytes = take64(r);
    m->allocated_bytes = take64(r);
    take_waits(r, &m->waits);
    take_raw(r, m->root, sizeof(m->root));
    check(r, m->disk_bytes <= INT64_MAX);
}

/* An option of another length is of a later version: not ours to judge. */
static void take_space(struct message_error *m, struct reader option)
{
    if (option.left != sizeof(m->space))
        return;
    m->has_space = true;
    for (size_t i = 0; i < MESSAGE_SPACE_COUNT; i++)
        m->space[i] = take64(&option);
}

static void take_codecs(uint32_t *codecs, struct reader option)
{
    if (option.left == sizeof(*codecs))
        *codecs = take32(&option);
}

static void take_identity(bool *has_identity, uint8_t *identity,
                          struct reader option)
{
    if (option.left != MESSAGE_IDENTITY_BYTES)
        return;
    *has_identity = true;
    take_raw(&option, identity, MESSAGE_IDENTITY_BYTES);
}

static void take_finished(struct message_hello *m, struct reader option)
{
    if (option.left != sizeof(m->root))
        return;
    m->has_finished = true;
    take_raw(&option, m->root, sizeof(m->root));
}

static void take_sums(struct message_leaves *m, struct reader option)
{
    if (m->count <= MESSAGE_SUMS_MAX &&
        option.left == (size_t)m->count * MESSAGE_SUMS_BYTES)
        m->sums = option.at;
}

static void take_waits_option(struct message_progress *m, struct reader option)
{
    if (option.left != WAITS_BYTES)
        return;
    m->has_waits = true;
    take_waits(&option, &m->waits);
}

static void take_hello_option(struct message_hello *m, uint16_t tag,
                              struct reader option)
{
    switch (tag) {
    case OPTION_CODECS: take_codecs(&m->codecs, option); break;
    case OPTION_IDENTITY:
        take_identity(&m->has_identity, m->identity, option);
        break;
    case OPTION_FINISHED: take_finished(m, option); break;
    case OPTION_DELTA: m->asks_delta = true; break;
    case OPTION_SUMS: m->takes_sums = true; break;
    default: break;
    }
}

static void take_plan_option(struct message_plan *m, uint16_t tag,
                             struct reader option)
{
    switch (tag) {
    case OPTION_CODECS: take_codecs(&m->codecs, option); break;
    case OPTION_IDENTITY:
        take_identity(&m->has_identity, m->identity, option);
        break;
    case OPTION_TRUST: m->wants_trust = true; break;
    case OPTION_DELTA: m->surveys = true; break;
    case OPTION_HAS_SUMS: m->has_sums = true; break;
    default: break;
    }
}

static void take_unread(struct message_finish *m, struct reader option)
{
    if (option.left == sizeof(m->unread_bytes))
        m->unread_bytes = take64(&option);
}

static void take_option(struct message *message, uint16_t tag,
                        struct reader option)
{
    enum message_type type = message->type;

    if (type == MESSAGE_HELLO)
        take_hello_option(&message->hello, tag, option);
    else if (type == MESSAGE_PLAN)
        take_plan_option(&message->plan, tag, option);
    else if (type == MESSAGE_PROGRESS && tag == OPTION_WAITS)
        take_waits_option(&message->progress, option);
    else if (type == MESSAGE_ERROR && tag == OPTION_SPACE)
        take_space(&message->error, option);
    else if (type == MESSAGE_LEAVES && tag == OPTION_OF_SUMS)
        take_sums(&message->leaves, option);
    else if (type == MESSAGE_FINISH && tag == OPTION_UNREAD)
        take_unread(&message->finish, option);
}

/* Options {tag, length, bytes}, tag not 0; unknown ones are skipped. */
static void take_options(struct reader *r, struct message *message)
{
    while (r->fault == MESSAGE_OK && r->left > 0) {
        uint16_t tag = take16(r), len = take16(r);
        struct reader option = { .at = take(r, len), .left = len };

        if (r->fault != MESSAGE_OK || tag == 0)
            r->fault = MESSAGE_TRAILING;
        else
            take_option(message, tag, option);
    }
}

static bool type_is_known(uint16_t type)
{
    return type >= MESSAGE_HELLO && type <= MESSAGE_LEAVES;
}

enum message_result message_decode_header(
    const uint8_t in[MESSAGE_HEADER_BYTES], enum message_type *type,
    uint32_t *payload_bytes)
{
    uint16_t number = get_be16(in);

    if (!type_is_known(number) || get_be16(in + 2) != 0)
        return MESSAGE_BAD_TYPE;
    *payload_bytes = get_be32(in + 4);
    if (*payload_bytes > MESSAGE_MAX_BYTES)
        return MESSAGE_BAD_LENGTH;
    *type = (enum message_type)number;
    return MESSAGE_OK;
}

enum message_result message_decode(enum message_type type, const uint8_t *in,
                                   size_t len, struct message *message)
{
    struct reader r = { .at = in, .left = len, .fault = MESSAGE_OK };

    memset(message, 0, sizeof(*message));
    message->type = type;
    switch (type) {
    case MESSAGE_HELLO: take_hello(&r, &message->hello); break;
    case MESSAGE_PLAN: take_plan(&r, &message->plan); break;
    case MESSAGE_HAVE: take_have(&r, &message->have); break;
    case MESSAGE_LEAVES: take_leaves(&r, &message->leaves); break;
    case MESSAGE_JOIN: take_join(&r, &message->join); break;
    case MESSAGE_PROGRESS: take_progress(&r, &message->progress); break;
    case MESSAGE_ERROR: take_error(&r, &message->error); break;
    case MESSAGE_DONE: take_done(&r, &message->done); break;
    case MESSAGE_FINISH: take_finish(&r, &message->finish); break;
    case MESSAGE_GO:
    case MESSAGE_BYE: break;
    }
    take_options(&r, message);
    return r.fault;
}

const char *message_type_name(enum message_type type)
{
    switch (type) {
    case MESSAGE_HELLO: return "HELLO";
    case MESSAGE_PLAN: return "PLAN";
    case MESSAGE_HAVE: return "HAVE";
    case MESSAGE_GO: return "GO";
    case MESSAGE_JOIN: return "JOIN";
    case MESSAGE_PROGRESS: return "PROGRESS";
    case MESSAGE_ERROR: return "ERROR";
    case MESSAGE_FINISH: return "FINISH";
    case MESSAGE_DONE: return "DONE";
    case MESSAGE_BYE: return "BYE";
    case MESSAGE_LEAVES: return "LEAVES";
    }
    return "unknown";
}

const char *message_result_text(enum message_result result)
{
    switch (result) {
    case MESSAGE_OK: return "no fault";
    case MESSAGE_SHORT: return "cut short";
    case MESSAGE_BAD_TYPE: return "unknown message type or flag";
    case MESSAGE_BAD_LENGTH: return "payload too long";
    case MESSAGE_BAD_VALUE: return "a field out of bounds";
    case MESSAGE_TRAILING: return "trailing garbage";
    }
    return "unknown fault";
}
