#include "wire/message.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/fields.h"

#define HEAD            MESSAGE_HEADER_BYTES
#define OPTION_SPACE    1U  /* of ERROR */
#define OPTION_CODECS   1U  /* of HELLO and PLAN */
#define OPTION_IDENTITY 2U  /* of HELLO and PLAN */
#define OPTION_TRUST    3U  /* of PLAN */
#define OPTION_DELTA    4U  /* of HELLO: asked for; of PLAN: surveys */
#define OPTION_UNREAD   1U  /* of FINISH */
#define OPTION_WAITS    1U  /* of PROGRESS */
#define OPTION_FINISHED 5U  /* of HELLO */
#define OPTION_HAS_SUMS 5U  /* of PLAN */
#define OPTION_SUMS     6U  /* of HELLO: taken */
#define OPTION_PADDING  7U  /* of HELLO */
#define OPTION_PARTS    8U  /* of HELLO: taken */
#define OPTION_OF_SUMS  1U  /* of LEAVES: they are */
#define OPTION_MISSING  16U /* of HELLO: taken; of HAVE: they are */
#define OPTION_SAMPLE   17U /* of HELLO: answered */
#define OPTION_ASKS     18U /* of HELLO: for trust */
#define OPTION_UNPROVED 16U /* of DONE: held, not verified */

#define WAITS_BYTES 16U

/* Old peers skip it, and nobody has to hear of what is not offered. */
static void put_codecs(struct fields_writer *w, uint32_t codecs)
{
    if (codecs == 0)
        return;
    fields_put_option(w, OPTION_CODECS, sizeof(codecs));
    fields_put32(w, codecs);
}

static void put_identity(struct fields_writer *w, bool has_identity,
                         const uint8_t *identity)
{
    if (!has_identity)
        return;
    fields_put_option(w, OPTION_IDENTITY, MESSAGE_IDENTITY_BYTES);
    fields_put_raw(w, identity, MESSAGE_IDENTITY_BYTES);
}

static void put_hello(struct fields_writer *w, const struct message *message)
{
    const struct message_hello *m = &message->hello;

    fields_put16(w, m->version);
    fields_put16(w, m->lanes);
    fields_put32(w, m->chunk_bytes);
    fields_put32(w, m->digest);
    fields_put64(w, m->virtual_bytes);
    fields_put64(w, m->data_bytes);
    fields_put_string(w, m->job, sizeof(m->job));
    fields_put_string(w, m->format, sizeof(m->format));
    fields_put_string(w, m->software, sizeof(m->software));
    put_codecs(w, m->codecs);
    put_identity(w, m->has_identity, m->identity);
    if (m->asks_delta)
        fields_put_option(w, OPTION_DELTA, 0);
    if (m->takes_sums)
        fields_put_option(w, OPTION_SUMS, 0);
    if (m->padding_bytes > 0) {
        fields_put_option(w, OPTION_PADDING, sizeof(m->padding_bytes));
        fields_put16(w, m->padding_bytes);
    }
    if (m->takes_parts)
        fields_put_option(w, OPTION_PARTS, 0);
    if (m->takes_missing)
        fields_put_option(w, OPTION_MISSING, 0);
    if (m->answers_sample)
        fields_put_option(w, OPTION_SAMPLE, 0);
    if (m->asks_trust)
        fields_put_option(w, OPTION_ASKS, 0);
    if (!m->has_finished)
        return;
    fields_put_option(w, OPTION_FINISHED, sizeof(m->root));
    fields_put_raw(w, m->root, sizeof(m->root));
}

static void put_plan(struct fields_writer *w, const struct message *message)
{
    const struct message_plan *m = &message->plan;

    fields_put16(w, m->lanes);
    fields_put64(w, m->disk_bytes);
    fields_put_raw(w, m->secret, sizeof(m->secret));
    fields_put_string(w, m->software, sizeof(m->software));
    put_codecs(w, m->codecs);
    put_identity(w, m->has_identity, m->identity);
    if (m->wants_trust)
        fields_put_option(w, OPTION_TRUST, 0);
    if (m->surveys)
        fields_put_option(w, OPTION_DELTA, 0);
    if (m->has_sums)
        fields_put_option(w, OPTION_HAS_SUMS, 0);
}

static void put_have(struct fields_writer *w, const struct message *message)
{
    const struct message_have *m = &message->have;

    fields_put64(w, m->first);
    fields_put16(w, m->count);
    fields_put16(w, m->digest_bytes);
    fields_put_raw(w, m->digests, (size_t)m->count * m->digest_bytes);
    if (m->is_missing)
        fields_put_option(w, OPTION_MISSING, 0);
}

static void put_leaves(struct fields_writer *w, const struct message *message)
{
    const struct message_leaves *m = &message->leaves;

    fields_put64(w, m->first);
    fields_put16(w, m->count);
    fields_put16(w, m->digest_bytes);
    fields_put_raw(w, m->digests,
                   (size_t)m->count * MESSAGE_CHUNK_LEAVES * m->digest_bytes);
    if (!m->sums)
        return;
    fields_put_option(w, OPTION_OF_SUMS,
                      (uint16_t)(m->count * MESSAGE_SUMS_BYTES));
    fields_put_raw(w, m->sums, (size_t)m->count * MESSAGE_SUMS_BYTES);
}

static void put_sample(struct fields_writer *w, const struct message *message)
{
    const struct message_sample *m = &message->sample;

    fields_put16(w, m->count);
    for (size_t i = 0; i < m->count; i++)
        fields_put64(w, m->chunks[i]);
}

static void put_join(struct fields_writer *w, const struct message *message)
{
    const struct message_join *m = &message->join;

    fields_put16(w, m->lane);
    fields_put_raw(w, m->secret, sizeof(m->secret));
}

static void put_waits(struct fields_writer *w, const struct message_waits *m)
{
    fields_put64(w, m->disk_ns);
    fields_put64(w, m->net_ns);
}

static void put_progress(struct fields_writer *w, const struct message *message)
{
    const struct message_progress *m = &message->progress;

    fields_put64(w, m->handled_bytes);
    fields_put64(w, m->data_bytes);
    fields_put64(w, m->zero_bytes);
    fields_put64(w, m->zeroed_bytes);
    fields_put16(w, m->phase);
    if (!m->has_waits)
        return;
    fields_put_option(w, OPTION_WAITS, WAITS_BYTES);
    put_waits(w, &m->waits);
}

static void put_error(struct fields_writer *w, const struct message *message)
{
    const struct message_error *m = &message->error;

    fields_put32(w, m->kind);
    fields_put32(w, m->errnum);
    fields_put64(w, m->offset);
    fields_put_string(w, m->text, sizeof(m->text));
    if (!m->has_space)
        return;
    fields_put_option(w, OPTION_SPACE, sizeof(m->space));
    for (size_t i = 0; i < MESSAGE_SPACE_COUNT; i++)
        fields_put64(w, m->space[i]);
}

static void put_finish(struct fields_writer *w, const struct message *message)
{
    const struct message_finish *m = &message->finish;

    put_waits(w, &m->waits);
    fields_put_raw(w, m->root, sizeof(m->root));
    if (m->unread_bytes == 0)
        return;
    fields_put_option(w, OPTION_UNREAD, sizeof(m->unread_bytes));
    fields_put64(w, m->unread_bytes);
}

static void put_done(struct fields_writer *w, const struct message *message)
{
    const struct message_done *m = &message->done;

    fields_put64(w, m->disk_bytes);
    fields_put64(w, m->allocated_bytes);
    put_waits(w, &m->waits);
    fields_put_raw(w, m->root, sizeof(m->root));
    if (m->unverified_bytes == 0)
        return;
    fields_put_option(w, OPTION_UNPROVED, sizeof(m->unverified_bytes));
    fields_put64(w, m->unverified_bytes);
}

/* ---- reading ---- */

static void take_hello(struct fields_reader *r, struct message *message)
{
    struct message_hello *m = &message->hello;

    m->version = fields_take16(r);
    m->lanes = fields_take16(r);
    m->chunk_bytes = fields_take32(r);
    m->digest = fields_take32(r);
    m->virtual_bytes = fields_take64(r);
    m->data_bytes = fields_take64(r);
    fields_take_string(r, m->job, sizeof(m->job));
    fields_take_string(r, m->format, sizeof(m->format));
    fields_take_string(r, m->software, sizeof(m->software));
    fields_check(r, m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
                        m->virtual_bytes <= INT64_MAX &&
                        m->data_bytes <= m->virtual_bytes);
}

static void take_plan(struct fields_reader *r, struct message *message)
{
    struct message_plan *m = &message->plan;

    m->lanes = fields_take16(r);
    m->disk_bytes = fields_take64(r);
    fields_take_raw(r, m->secret, sizeof(m->secret));
    fields_take_string(r, m->software, sizeof(m->software));
    fields_check(r, m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
                        m->disk_bytes <= INT64_MAX);
}

static void take_have(struct fields_reader *r, struct message *message)
{
    struct message_have *m = &message->have;

    m->first = fields_take64(r);
    m->count = fields_take16(r);
    m->digest_bytes = fields_take16(r);
    fields_check(r,
                 m->count >= 1 &&
                     (m->count <= MESSAGE_HAVE_MAX || m->digest_bytes == 0) &&
                     m->digest_bytes <= MESSAGE_DIGEST_BYTES &&
                     m->first <= INT64_MAX);
    m->digests = fields_take(r, (size_t)m->count * m->digest_bytes);
}

static void take_leaves(struct fields_reader *r, struct message *message)
{
    struct message_leaves *m = &message->leaves;

    m->first = fields_take64(r);
    m->count = fields_take16(r);
    m->digest_bytes = fields_take16(r);
    fields_check(r, m->count >= 1 && m->count <= MESSAGE_LEAVES_MAX &&
                        m->digest_bytes >= 1 &&
                        m->digest_bytes <= MESSAGE_DIGEST_BYTES &&
                        m->first <= INT64_MAX);
    m->digests = fields_take(r, (size_t)m->count * MESSAGE_CHUNK_LEAVES *
                                    m->digest_bytes);
}

static void take_sample(struct fields_reader *r, struct message *message)
{
    struct message_sample *m = &message->sample;

    m->count = fields_take16(r);
    fields_check(r, m->count >= 1 && m->count <= MESSAGE_SAMPLE_MAX);
    for (size_t i = 0; r->fault == MESSAGE_OK && i < m->count; i++) {
        m->chunks[i] = fields_take64(r);
        fields_check(r, m->chunks[i] <= INT64_MAX &&
                            (i == 0 || m->chunks[i] > m->chunks[i - 1]));
    }
}

static void take_join(struct fields_reader *r, struct message *message)
{
    struct message_join *m = &message->join;

    m->lane = fields_take16(r);
    fields_take_raw(r, m->secret, sizeof(m->secret));
    fields_check(r, m->lane < MESSAGE_MAX_LANES);
}

static void take_progress(struct fields_reader *r, struct message *message)
{
    struct message_progress *m = &message->progress;

    m->handled_bytes = fields_take64(r);
    m->data_bytes = fields_take64(r);
    m->zero_bytes = fields_take64(r);
    m->zeroed_bytes = fields_take64(r);
    m->phase = fields_take16(r);
}

static void take_error(struct fields_reader *r, struct message *message)
{
    struct message_error *m = &message->error;

    m->kind = fields_take32(r);
    m->errnum = fields_take32(r);
    m->offset = fields_take64(r);
    fields_take_string(r, m->text, sizeof(m->text));
    fields_check(r, m->kind != 0 && m->kind <= 255 && m->errnum <= 4095);
}

static void take_waits(struct fields_reader *r, struct message_waits *m)
{
    m->disk_ns = fields_take64(r);
    m->net_ns = fields_take64(r);
}

static void take_finish(struct fields_reader *r, struct message *message)
{
    struct message_finish *m = &message->finish;

    take_waits(r, &m->waits);
    fields_take_raw(r, m->root, sizeof(m->root));
}

static void take_done(struct fields_reader *r, struct message *message)
{
    struct message_done *m = &message->done;

    m->disk_bytes = fields_take64(r);
    m->allocated_bytes = fields_take64(r);
    take_waits(r, &m->waits);
    fields_take_raw(r, m->root, sizeof(m->root));
    fields_check(r, m->disk_bytes <= INT64_MAX);
}

/* An option of another length is of a later version: not ours to judge. */
static void take_error_option(struct message *message, uint16_t tag,
                              struct fields_reader option)
{
    struct message_error *m = &message->error;

    if (tag != OPTION_SPACE || option.left != sizeof(m->space))
        return;
    m->has_space = true;
    for (size_t i = 0; i < MESSAGE_SPACE_COUNT; i++)
        m->space[i] = fields_take64(&option);
}

static void take_codecs(uint32_t *codecs, struct fields_reader option)
{
    if (option.left == sizeof(*codecs))
        *codecs = fields_take32(&option);
}

static void take_identity(bool *has_identity, uint8_t *identity,
                          struct fields_reader option)
{
    if (option.left != MESSAGE_IDENTITY_BYTES)
        return;
    *has_identity = true;
    fields_take_raw(&option, identity, MESSAGE_IDENTITY_BYTES);
}

static void take_finished(struct message_hello *m, struct fields_reader option)
{
    if (option.left != sizeof(m->root))
        return;
    m->has_finished = true;
    fields_take_raw(&option, m->root, sizeof(m->root));
}

static void take_have_option(struct message *message, uint16_t tag,
                             struct fields_reader option)
{
    (void)option;
    if (tag == OPTION_MISSING)
        message->have.is_missing = message->have.digest_bytes == 0;
}

static void take_leaves_option(struct message *message, uint16_t tag,
                               struct fields_reader option)
{
    struct message_leaves *m = &message->leaves;

    if (tag == OPTION_OF_SUMS && m->count <= MESSAGE_SUMS_MAX &&
        option.left == (size_t)m->count * MESSAGE_SUMS_BYTES)
        m->sums = option.at;
}

static void take_progress_option(struct message *message, uint16_t tag,
                                 struct fields_reader option)
{
    struct message_progress *m = &message->progress;

    if (tag != OPTION_WAITS || option.left != WAITS_BYTES)
        return;
    m->has_waits = true;
    take_waits(&option, &m->waits);
}

static void take_padding(struct message_hello *m, struct fields_reader option)
{
    uint16_t padding_bytes;

    if (option.left != sizeof(padding_bytes))
        return;
    padding_bytes = fields_take16(&option);
    if (padding_bytes <= MESSAGE_MAX_PADDING &&
        padding_bytes <= m->virtual_bytes)
        m->padding_bytes = padding_bytes;
}

static void take_hello_option(struct message *message, uint16_t tag,
                              struct fields_reader option)
{
    struct message_hello *m = &message->hello;

    switch (tag) {
    case OPTION_CODECS: take_codecs(&m->codecs, option); break;
    case OPTION_IDENTITY:
        take_identity(&m->has_identity, m->identity, option);
        break;
    case OPTION_FINISHED: take_finished(m, option); break;
    case OPTION_DELTA: m->asks_delta = true; break;
    case OPTION_SUMS: m->takes_sums = true; break;
    case OPTION_PADDING: take_padding(m, option); break;
    case OPTION_PARTS: m->takes_parts = true; break;
    case OPTION_MISSING: m->takes_missing = true; break;
    case OPTION_SAMPLE: m->answers_sample = true; break;
    case OPTION_ASKS: m->asks_trust = true; break;
    default: break;
    }
}

static void take_plan_option(struct message *message, uint16_t tag,
                             struct fields_reader option)
{
    struct message_plan *m = &message->plan;

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

static void take_finish_option(struct message *message, uint16_t tag,
                               struct fields_reader option)
{
    struct message_finish *m = &message->finish;

    if (tag == OPTION_UNREAD && option.left == sizeof(m->unread_bytes))
        m->unread_bytes = fields_take64(&option);
}

static void take_done_option(struct message *message, uint16_t tag,
                             struct fields_reader option)
{
    struct message_done *m = &message->done;

    if (tag == OPTION_UNPROVED && option.left == sizeof(m->unverified_bytes))
        m->unverified_bytes = fields_take64(&option);
}

struct message_row {
    const char *name;
    void (*put)(struct fields_writer *w, const struct message *message);
    void (*take)(struct fields_reader *r, struct message *message);
    void (*take_option)(struct message *message, uint16_t tag,
                        struct fields_reader option);
};

/* A message is a row: NULL for what it does not have. */
/* clang-format off */
static const struct message_row rows[] = {
    [MESSAGE_HELLO]    = { "HELLO",    put_hello,    take_hello,    take_hello_option },
    [MESSAGE_PLAN]     = { "PLAN",     put_plan,     take_plan,     take_plan_option },
    [MESSAGE_HAVE]     = { "HAVE",     put_have,     take_have,     take_have_option },
    [MESSAGE_GO]       = { "GO",       NULL,         NULL,          NULL },
    [MESSAGE_JOIN]     = { "JOIN",     put_join,     take_join,     NULL },
    [MESSAGE_PROGRESS] = { "PROGRESS", put_progress, take_progress, take_progress_option },
    [MESSAGE_ERROR]    = { "ERROR",    put_error,    take_error,    take_error_option },
    [MESSAGE_FINISH]   = { "FINISH",   put_finish,   take_finish,   take_finish_option },
    [MESSAGE_DONE]     = { "DONE",     put_done,     take_done,     take_done_option },
    [MESSAGE_BYE]      = { "BYE",      NULL,         NULL,          NULL },
    [MESSAGE_LEAVES]   = { "LEAVES",   put_leaves,   take_leaves,   take_leaves_option },
    [MESSAGE_SAMPLE]   = { "SAMPLE",   put_sample,   take_sample,   NULL },
};
/* clang-format on */

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Options {tag, length, bytes}, tag not 0; unknown ones are skipped. */
static void take_options(struct fields_reader *r, struct message *message)
{
    while (r->fault == MESSAGE_OK && r->left > 0) {
        uint16_t tag = fields_take16(r), len = fields_take16(r);
        struct fields_reader option = { .at = fields_take(r, len),
                                        .left = len };

        if (r->fault != MESSAGE_OK || tag == 0)
            r->fault = MESSAGE_TRAILING;
        else if (rows[message->type].take_option)
            rows[message->type].take_option(message, tag, option);
    }
}

static bool type_is_known(size_t type)
{
    return type < ROW_COUNT && rows[type].name;
}

size_t message_encode(uint8_t out[MESSAGE_BUFFER_BYTES],
                      const struct message *message)
{
    struct fields_writer w = { .at = out + HEAD };

    if (rows[message->type].put)
        rows[message->type].put(&w, message);
    put_be16(out, (uint16_t)message->type);
    put_be16(out + 2, 0);
    put_be32(out + 4, (uint32_t)(w.at - out - HEAD));
    return (size_t)(w.at - out);
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
    struct fields_reader r = { .at = in, .left = len, .fault = MESSAGE_OK };

    memset(message, 0, sizeof(*message));
    message->type = type;
    if (rows[type].take)
        rows[type].take(&r, message);
    take_options(&r, message);
    return r.fault;
}

const char *message_type_name(enum message_type type)
{
    return type_is_known(type) ? rows[type].name : "unknown";
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
