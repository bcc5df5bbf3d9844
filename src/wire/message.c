#include "wire/message.h"

#include <string.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "wire/fields.h"

/* ---- fields and options ---- */

/* How a field travels.  FIELD_64 may be several numbers. */
enum field_kind {
    FIELD_END,
    FIELD_FLAG, /* of an option: it is there */
    FIELD_16,
    FIELD_32,
    FIELD_64,
    FIELD_RAW,
    FIELD_STRING,
};

struct field {
    enum field_kind kind;
    size_t offset; /* in struct message */
    size_t len;
};

/* {tag, length, bytes} after the fields; other lengths than ours are skipped. */
struct option {
    uint16_t tag;
    struct field field;
    size_t has; /* offset of the bool that says it is there; 0: it is there
                 * unless the field is zero */
};

#define MEMBER(m) (((struct message *)0)->m)
#define FIELD(m)                                     \
    {                                                \
        _Generic(MEMBER(m),                        \
                 bool: FIELD_FLAG,                 \
                 uint16_t: FIELD_16,               \
                 uint32_t: FIELD_32,               \
                 uint64_t: FIELD_64,               \
                 uint64_t *: FIELD_64,             \
                 struct message_waits: FIELD_64,   \
                 uint8_t *: FIELD_RAW,             \
                 char *: FIELD_STRING),            \
            offsetof(struct message, m), sizeof(MEMBER(m)) \
    }

/* clang-format off */
static const struct field hello_fields[] = {
    FIELD(hello.version), FIELD(hello.lanes), FIELD(hello.chunk_bytes),
    FIELD(hello.digest), FIELD(hello.virtual_bytes), FIELD(hello.data_bytes),
    FIELD(hello.job), FIELD(hello.format), FIELD(hello.software), { 0 },
};
static const struct option hello_options[] = {
    { 1,  FIELD(hello.codecs),         0 },
    { 2,  FIELD(hello.identity),       offsetof(struct message, hello.has_identity) },
    { 4,  FIELD(hello.asks_delta),     0 },
    { 6,  FIELD(hello.takes_sums),     0 },
    { 7,  FIELD(hello.padding_bytes),  0 },
    { 8,  FIELD(hello.takes_parts),    0 },
    { 9,  FIELD(hello.file_mode),      0 },
    { 10, FIELD(hello.stored_bytes),   0 },
    { 16, FIELD(hello.takes_missing),  0 },
    { 17, FIELD(hello.answers_sample), 0 },
    { 18, FIELD(hello.asks_trust),     0 },
    { 19, FIELD(hello.tree_bytes),     0 },
    { 20, FIELD(hello.pass),           0 },
    { 21, FIELD(hello.next_pass_s),    0 },
    { 5,  FIELD(hello.root),           offsetof(struct message, hello.has_finished) },
    { 0 },
};
static const struct field plan_fields[] = {
    FIELD(plan.lanes), FIELD(plan.disk_bytes), FIELD(plan.secret),
    FIELD(plan.software), { 0 },
};
static const struct option plan_options[] = {
    { 1, FIELD(plan.codecs),      0 },
    { 2, FIELD(plan.identity),    offsetof(struct message, plan.has_identity) },
    { 3, FIELD(plan.wants_trust), 0 },
    { 4, FIELD(plan.surveys),     0 },
    { 5, FIELD(plan.has_sums),    0 },
    { 6, FIELD(plan.takes_passes), 0 },
    { 0 },
};
static const struct field have_fields[] = {
    FIELD(have.first), FIELD(have.count), FIELD(have.digest_bytes), { 0 },
};
static const struct option have_options[] = {
    { 16, FIELD(have.is_missing), 0 },
    { 0 },
};
static const struct field leaves_fields[] = {
    FIELD(leaves.first), FIELD(leaves.count), FIELD(leaves.digest_bytes), { 0 },
};
static const struct field sample_fields[] = { FIELD(sample.count), { 0 } };
static const struct field tree_fields[] = {
    FIELD(tree.offset), FIELD(tree.len), { 0 },
};
static const struct field join_fields[] = {
    FIELD(join.lane), FIELD(join.secret), { 0 },
};
static const struct field progress_fields[] = {
    FIELD(progress.handled_bytes), FIELD(progress.data_bytes),
    FIELD(progress.zero_bytes), FIELD(progress.zeroed_bytes),
    FIELD(progress.phase), { 0 },
};
static const struct option progress_options[] = {
    { 1, FIELD(progress.waits), offsetof(struct message, progress.has_waits) },
    { 0 },
};
static const struct field error_fields[] = {
    FIELD(error.kind), FIELD(error.errnum), FIELD(error.offset),
    FIELD(error.text), { 0 },
};
static const struct option error_options[] = {
    { 1, FIELD(error.space), offsetof(struct message, error.has_space) },
    { 0 },
};
static const struct field finish_fields[] = {
    FIELD(finish.waits), FIELD(finish.root), { 0 },
};
static const struct option finish_options[] = {
    { 1, FIELD(finish.unread_bytes), 0 },
    { 2, FIELD(finish.is_mixed),     0 },
    { 0 },
};
static const struct field done_fields[] = {
    FIELD(done.disk_bytes), FIELD(done.allocated_bytes), FIELD(done.waits),
    FIELD(done.root), { 0 },
};
static const struct option done_options[] = {
    { 16, FIELD(done.unverified_bytes), 0 },
    { 0 },
};
/* clang-format on */

#define OPTION_SUMS 1U /* of LEAVES */

/* ---- bounds of the fields ---- */

static bool check_hello(const struct message *message)
{
    const struct message_hello *m = &message->hello;

    return m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
           m->virtual_bytes <= INT64_MAX && m->data_bytes <= m->virtual_bytes;
}

static bool check_plan(const struct message *message)
{
    const struct message_plan *m = &message->plan;

    return m->lanes >= 1 && m->lanes <= MESSAGE_MAX_LANES &&
           m->disk_bytes <= INT64_MAX;
}

static bool check_have(const struct message *message)
{
    const struct message_have *m = &message->have;

    return m->count >= 1 &&
           (m->count <= MESSAGE_HAVE_MAX || m->digest_bytes == 0) &&
           m->digest_bytes <= MESSAGE_DIGEST_BYTES && m->first <= INT64_MAX;
}

static bool check_leaves(const struct message *message)
{
    const struct message_leaves *m = &message->leaves;

    return m->count >= 1 && m->count <= MESSAGE_LEAVES_MAX &&
           m->digest_bytes >= 1 && m->digest_bytes <= MESSAGE_DIGEST_BYTES &&
           m->first <= INT64_MAX;
}

static bool check_sample(const struct message *message)
{
    return message->sample.count >= 1 &&
           message->sample.count <= MESSAGE_SAMPLE_MAX;
}

static bool check_tree(const struct message *message)
{
    const struct message_tree *m = &message->tree;

    return m->len >= 1 && m->len <= MESSAGE_TREE_MAX &&
           m->offset <= MESSAGE_TREE_BYTES - m->len;
}

static bool check_join(const struct message *message)
{
    return message->join.lane < MESSAGE_MAX_LANES;
}

static bool check_error(const struct message *message)
{
    const struct message_error *m = &message->error;

    return m->kind != 0 && m->kind <= 255 && m->errnum <= 4095;
}

static bool check_done(const struct message *message)
{
    return message->done.disk_bytes <= INT64_MAX;
}

/* ---- lists after the fields, and options with bounds ---- */

static size_t have_len(const struct message_have *m)
{
    return (size_t)m->count * m->digest_bytes;
}

static void put_have(struct fields_writer *w, const struct message *message)
{
    fields_put_raw(w, message->have.digests, have_len(&message->have));
}

static void take_have(struct fields_reader *r, struct message *message)
{
    message->have.digests = fields_take(r, have_len(&message->have));
}

static size_t leaves_len(const struct message_leaves *m)
{
    return (size_t)m->count * MESSAGE_CHUNK_LEAVES * m->digest_bytes;
}

static void put_leaves(struct fields_writer *w, const struct message *message)
{
    const struct message_leaves *m = &message->leaves;
    size_t len = (size_t)m->count * MESSAGE_SUMS_BYTES;

    fields_put_raw(w, m->digests, leaves_len(m));
    if (!m->sums)
        return;
    fields_put_option(w, OPTION_SUMS, (uint16_t)len);
    fields_put_raw(w, m->sums, len);
}

static void take_leaves(struct fields_reader *r, struct message *message)
{
    message->leaves.digests = fields_take(r, leaves_len(&message->leaves));
}

static void put_sample(struct fields_writer *w, const struct message *message)
{
    for (size_t i = 0; i < message->sample.count; i++)
        fields_put64(w, message->sample.chunks[i]);
}

static void take_sample(struct fields_reader *r, struct message *message)
{
    uint64_t *chunks = message->sample.chunks;

    for (size_t i = 0; r->fault == MESSAGE_OK && i < message->sample.count;
         i++) {
        chunks[i] = fields_take64(r);
        fields_check(r, chunks[i] <= INT64_MAX &&
                            (i == 0 || chunks[i] > chunks[i - 1]));
    }
}

static void put_tree(struct fields_writer *w, const struct message *message)
{
    fields_put_raw(w, message->tree.bytes, message->tree.len);
}

static void take_tree(struct fields_reader *r, struct message *message)
{
    message->tree.bytes = fields_take(r, message->tree.len);
}

static void take_hello_option(struct message *message, uint16_t tag,
                              struct fields_reader option)
{
    struct message_hello *m = &message->hello;

    (void)tag;
    (void)option;
    if (m->padding_bytes > MESSAGE_MAX_PADDING ||
        m->padding_bytes > m->virtual_bytes)
        m->padding_bytes = 0;
    if (m->stored_bytes > m->virtual_bytes)
        m->stored_bytes = m->virtual_bytes;
}

static void take_have_option(struct message *message, uint16_t tag,
                             struct fields_reader option)
{
    (void)tag;
    (void)option;
    message->have.is_missing &= message->have.digest_bytes == 0;
}

static void take_leaves_option(struct message *message, uint16_t tag,
                               struct fields_reader option)
{
    struct message_leaves *m = &message->leaves;

    if (tag == OPTION_SUMS && m->count <= MESSAGE_SUMS_MAX &&
        option.left == (size_t)m->count * MESSAGE_SUMS_BYTES)
        m->sums = option.at;
}

/* A message is a row: NULL for what it does not have. */
struct message_row {
    const char *name;
    const struct field *fields;
    const struct option *options;
    bool (*is_valid)(const struct message *message); /* after the fields */
    void (*put)(struct fields_writer *w, const struct message *message);
    void (*take)(struct fields_reader *r, struct message *message);
    /* After each option, known or not. */
    void (*take_option)(struct message *message, uint16_t tag,
                        struct fields_reader option);
};

/* clang-format off */
static const struct message_row rows[] = {
    [MESSAGE_HELLO]    = { "HELLO",    hello_fields,    hello_options,    check_hello,  NULL,       NULL,        take_hello_option },
    [MESSAGE_PLAN]     = { "PLAN",     plan_fields,     plan_options,     check_plan,   NULL,       NULL,        NULL },
    [MESSAGE_HAVE]     = { "HAVE",     have_fields,     have_options,     check_have,   put_have,   take_have,   take_have_option },
    [MESSAGE_GO]       = { "GO",       NULL,            NULL,             NULL,         NULL,       NULL,        NULL },
    [MESSAGE_JOIN]     = { "JOIN",     join_fields,     NULL,             check_join,   NULL,       NULL,        NULL },
    [MESSAGE_PROGRESS] = { "PROGRESS", progress_fields, progress_options, NULL,         NULL,       NULL,        NULL },
    [MESSAGE_ERROR]    = { "ERROR",    error_fields,    error_options,    check_error,  NULL,       NULL,        NULL },
    [MESSAGE_FINISH]   = { "FINISH",   finish_fields,   finish_options,   NULL,         NULL,       NULL,        NULL },
    [MESSAGE_DONE]     = { "DONE",     done_fields,     done_options,     check_done,   NULL,       NULL,        NULL },
    [MESSAGE_BYE]      = { "BYE",      NULL,            NULL,             NULL,         NULL,       NULL,        NULL },
    [MESSAGE_LEAVES]   = { "LEAVES",   leaves_fields,   NULL,             check_leaves, put_leaves, take_leaves, take_leaves_option },
    [MESSAGE_TREE]     = { "TREE",     tree_fields,     NULL,             check_tree,   put_tree,   take_tree,   NULL },
    [MESSAGE_SAMPLE]   = { "SAMPLE",   sample_fields,   NULL,             check_sample, put_sample, take_sample, NULL },
};
/* clang-format on */

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static bool type_is_known(size_t type)
{
    return type < ROW_COUNT && rows[type].name;
}

/* ---- encoding ---- */

static void put_field(struct fields_writer *w, const struct field *field,
                      const struct message *message)
{
    const void *at = (const char *)message + field->offset;

    switch (field->kind) {
    case FIELD_END:
    case FIELD_FLAG: break;
    case FIELD_16: fields_put16(w, *(const uint16_t *)at); break;
    case FIELD_32: fields_put32(w, *(const uint32_t *)at); break;
    case FIELD_64:
        for (size_t i = 0; i < field->len / sizeof(uint64_t); i++)
            fields_put64(w, ((const uint64_t *)at)[i]);
        break;
    case FIELD_RAW: fields_put_raw(w, at, field->len); break;
    case FIELD_STRING: fields_put_string(w, at, field->len); break;
    }
}

/* Length of the option's bytes on the wire. */
static size_t option_len(const struct option *option)
{
    return option->field.kind == FIELD_FLAG ? 0 : option->field.len;
}

static void put_option(struct fields_writer *w, const struct option *option,
                       const struct message *message)
{
    const char *base = (const char *)message;

    if (option->has ? !*(const bool *)(base + option->has)
                    : iszero(base + option->field.offset, option->field.len))
        return; /* older peers need not skip it */
    fields_put_option(w, option->tag, (uint16_t)option_len(option));
    put_field(w, &option->field, message);
}

size_t message_encode(uint8_t out[MESSAGE_BUFFER_BYTES],
                      const struct message *message)
{
    const struct message_row *row = &rows[message->type];
    struct fields_writer w = { .at = out + MESSAGE_HEADER_BYTES };

    for (const struct field *f = row->fields; f && f->kind; f++)
        put_field(&w, f, message);
    if (row->put)
        row->put(&w, message);
    for (const struct option *o = row->options; o && o->tag; o++)
        put_option(&w, o, message);
    put_be16(out, (uint16_t)message->type);
    put_be16(out + 2, 0);
    put_be32(out + 4, (uint32_t)(w.at - out - MESSAGE_HEADER_BYTES));
    return (size_t)(w.at - out);
}

/* ---- decoding ---- */

static void take_field(struct fields_reader *r, const struct field *field,
                       struct message *message)
{
    void *at = (char *)message + field->offset;

    switch (field->kind) {
    case FIELD_END: break;
    case FIELD_FLAG: *(bool *)at = true; break;
    case FIELD_16: *(uint16_t *)at = fields_take16(r); break;
    case FIELD_32: *(uint32_t *)at = fields_take32(r); break;
    case FIELD_64:
        for (size_t i = 0; i < field->len / sizeof(uint64_t); i++)
            ((uint64_t *)at)[i] = fields_take64(r);
        break;
    case FIELD_RAW: fields_take_raw(r, at, field->len); break;
    case FIELD_STRING: fields_take_string(r, at, field->len); break;
    }
}

/* An option of another length is of a later version, and skipped. */
static void take_option(const struct message_row *row, uint16_t tag,
                        struct fields_reader bytes, struct message *message)
{
    for (const struct option *o = row->options; o && o->tag; o++) {
        struct fields_reader r = bytes;

        if (o->tag != tag ||
            (o->field.kind != FIELD_FLAG && r.left != option_len(o)))
            continue;
        take_field(&r, &o->field, message);
        if (o->has)
            *(bool *)((char *)message + o->has) = true;
    }
    if (row->take_option)
        row->take_option(message, tag, bytes);
}

static void take_options(const struct message_row *row, struct fields_reader *r,
                         struct message *message)
{
    while (r->fault == MESSAGE_OK && r->left > 0) {
        uint16_t tag = fields_take16(r), len = fields_take16(r);
        struct fields_reader option = { .at = fields_take(r, len),
                                        .left = len };

        if (r->fault != MESSAGE_OK || tag == 0)
            r->fault = MESSAGE_TRAILING;
        else
            take_option(row, tag, option, message);
    }
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
    const struct message_row *row = &rows[type];

    memset(message, 0, sizeof(*message));
    message->type = type;
    for (const struct field *f = row->fields; f && f->kind; f++)
        take_field(&r, f, message);
    if (row->is_valid)
        fields_check(&r, row->is_valid(message));
    if (row->take)
        row->take(&r, message);
    take_options(row, &r, message);
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
    case MESSAGE_TRAILING: return "unexpected bytes at the end";
    }
    return "unknown fault";
}
