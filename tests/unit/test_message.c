#include <stdio.h>

#include "base/bytes.h"
#include "unit.h"
#include "wire/message.h"

static uint8_t bytes[MESSAGE_BUFFER_BYTES];

static const uint8_t digests[48] = { 1, 2, 3 };

/* One of every type, with every field set to something. */
#define SAMPLES 12

static void samples(struct message out[SAMPLES])
{
    memset(out, 0, 10 * sizeof(*out));
    out[0].type = MESSAGE_HELLO;
    out[0].hello = (struct message_hello){
        .version = 1,
        .lanes = 4,
        .chunk_bytes = 1 << 20,
        .digest = 1,
        .virtual_bytes = UINT64_C(1) << 40,
        .data_bytes = 12345,
        .job = "job-1",
        .format = "raw",
        .software = "clonewire 0.1.0",
    };
    out[1].type = MESSAGE_PLAN;
    out[1].plan = (struct message_plan){
        .lanes = 2, .disk_bytes = 99, .secret = { 7, 8, 9 }, .software = "x"
    };
    out[2].type = MESSAGE_HAVE;
    out[2].have = (struct message_have){ 5, 3, 16, digests, false };
    out[3].type = MESSAGE_GO;
    out[4].type = MESSAGE_JOIN;
    out[4].join = (struct message_join){ 3, { 1, 2, 3 } };
    out[5].type = MESSAGE_PROGRESS;
    out[5].progress = (struct message_progress){
        .handled_bytes = 1,
        .data_bytes = 2,
        .zero_bytes = 3,
        .zeroed_bytes = 4,
        .phase = 1,
    };
    out[6].type = MESSAGE_ERROR;
    out[6].error = (struct message_error){
        .kind = 31, .errnum = 28, .offset = 4096, .text = "no space"
    };
    out[7].type = MESSAGE_FINISH;
    out[7].finish = (struct message_finish){ { 5, 6 }, { 0xab }, 0, false };
    out[8].type = MESSAGE_DONE;
    out[8].done = (struct message_done){ 10, 20, { 7, 8 }, { 0xcd }, 0 };
    out[9].type = MESSAGE_BYE;
    out[10].type = MESSAGE_LEAVES;
    out[10].leaves = (struct message_leaves){ 7, 2, 1, digests, NULL };
    out[11].type = MESSAGE_SAMPLE;
    out[11].sample = (struct message_sample){ 3, { 0, 7, 8 } };
}

static enum message_result decode(size_t len, struct message *message)
{
    enum message_type type;
    uint32_t payload;
    enum message_result r = message_decode_header(bytes, &type, &payload);

    if (r != MESSAGE_OK)
        return r;
    assert_int_equal(payload, len - MESSAGE_HEADER_BYTES);
    return message_decode(type, bytes + MESSAGE_HEADER_BYTES, payload, message);
}

static void test_round_trip(void **state)
{
    struct message in[SAMPLES], out;

    (void)state;
    samples(in);
    for (size_t i = 0; i < ARRAY_LEN(in); i++) {
        uint8_t again[MESSAGE_BUFFER_BYTES];
        size_t len = message_encode(bytes, &in[i]);

        CASE(message_type_name(in[i].type));
        assert_int_equal(decode(len, &out), MESSAGE_OK);
        assert_int_equal(out.type, in[i].type);
        assert_int_equal(message_encode(again, &out), len);
        assert_memory_equal(again, bytes, len);
    }
}

/* Version 1 peers will send these bytes for ever. */
static void test_golden(void **state)
{
    static const uint8_t hello[] =
        "\0\1\0\0\0\0\0\71"                     /* HELLO, 57 bytes */
        "\0\1\0\4\0\20\0\0\0\0\0\1"             /* version ... digest */
        "\0\0\1\0\0\0\0\0\0\0\0\0\0\0\60\71"    /* sizes */
        "\0\5job-1\0\3raw\0\17clonewire 0.1.0"; /* strings */
    static const uint8_t error[] = "\0\7\0\0\0\0\0\32\0\0\0\37\0\0\0\34"
                                   "\0\0\0\0\0\0\20\0\0\10no space";
    struct message in[SAMPLES];
    size_t len;

    (void)state;
    samples(in);
    len = message_encode(bytes, &in[0]);
    assert_int_equal(len, MESSAGE_HEADER_BYTES + 57);
    assert_memory_equal(bytes, hello, sizeof(hello) - 1);
    len = message_encode(bytes, &in[6]);
    assert_int_equal(len, sizeof(error) - 1);
    assert_memory_equal(bytes, error, len);
}

/* Without codecs the bytes are as they always were; with them, these. */
static void test_golden_codecs(void **state)
{
    static const uint8_t option[] = { 0, 1, 0, 4, 0, 0, 0, 1 };
    struct message in[SAMPLES], out;
    size_t plain, len;

    (void)state;
    samples(in);
    for (size_t i = 0; i < 2; i++) { /* HELLO and PLAN */
        CASE(message_type_name(in[i].type));
        plain = message_encode(bytes, &in[i]);
        in[0].hello.codecs = in[1].plan.codecs = MESSAGE_CODEC_ZSTD;
        len = message_encode(bytes, &in[i]);
        assert_int_equal(len, plain + sizeof(option));
        assert_memory_equal(bytes + plain, option, sizeof(option));
        assert_int_equal(decode(len, &out), MESSAGE_OK);
        assert_int_equal(i == 0 ? out.hello.codecs : out.plan.codecs,
                         MESSAGE_CODEC_ZSTD);
        in[0].hello.codecs = in[1].plan.codecs = 0;
    }
}

/* The same of what a delta is asked for and promised by. */
static void test_golden_delta(void **state)
{
    static const uint8_t option[] = { 0, 4, 0, 0 };
    struct message in[SAMPLES], out;

    (void)state;
    samples(in);
    for (size_t i = 0; i < 2; i++) { /* HELLO and PLAN */
        size_t plain = message_encode(bytes, &in[i]), len;

        CASE(message_type_name(in[i].type));
        assert_int_equal(decode(plain, &out), MESSAGE_OK);
        assert_false(i == 0 ? out.hello.asks_delta : out.plan.surveys);
        if (i == 0)
            in[i].hello.asks_delta = true;
        else
            in[i].plan.surveys = true;
        len = message_encode(bytes, &in[i]);
        assert_int_equal(len, plain + sizeof(option));
        assert_memory_equal(bytes + plain, option, sizeof(option));
        assert_int_equal(decode(len, &out), MESSAGE_OK);
        assert_true(i == 0 ? out.hello.asks_delta : out.plan.surveys);
    }
}

/* Bytes of padding: fewer than a sector, or none are said. */
static void test_golden_padding(void **state)
{
    static const uint8_t option[] = { 0, 7, 0, 2, 0x01, 0xbd };
    struct message in[SAMPLES], out;
    size_t plain, len;

    (void)state;
    samples(in);
    plain = message_encode(bytes, &in[0]);
    assert_int_equal(decode(plain, &out), MESSAGE_OK);
    assert_int_equal(out.hello.padding_bytes, 0);
    in[0].hello.padding_bytes = 445;
    len = message_encode(bytes, &in[0]);
    assert_int_equal(len, plain + sizeof(option));
    assert_memory_equal(bytes + plain, option, sizeof(option));
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_int_equal(out.hello.padding_bytes, 445);
    bytes[len - 2] = 2; /* a whole sector and more */
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_int_equal(out.hello.padding_bytes, 0);
    in[0].hello.file_mode = 0640;
    assert_int_equal(decode(message_encode(bytes, &in[0]), &out), MESSAGE_OK);
    assert_int_equal(out.hello.file_mode, 0640);
    in[0].hello.stored_bytes = UINT64_MAX;
    assert_int_equal(decode(message_encode(bytes, &in[0]), &out), MESSAGE_OK);
    assert_int_equal(out.hello.stored_bytes, out.hello.virtual_bytes);
}

/* Parts of chunks are taken: an option without a value. */
static void test_golden_parts(void **state)
{
    static const uint8_t taken[] = { 0, 8, 0, 0 };
    struct message in[SAMPLES], out;
    size_t plain;

    (void)state;
    samples(in);
    plain = message_encode(bytes, &in[0]);
    assert_int_equal(decode(plain, &out), MESSAGE_OK);
    assert_false(out.hello.takes_parts);
    in[0].hello.takes_parts = true;
    assert_int_equal(message_encode(bytes, &in[0]), plain + sizeof(taken));
    assert_memory_equal(bytes + plain, taken, sizeof(taken));
    assert_int_equal(decode(plain + sizeof(taken), &out), MESSAGE_OK);
    assert_true(out.hello.takes_parts);
}

/* The same of sums of grains: taken, promised, and there. */
static void test_golden_sums(void **state)
{
    static const uint8_t taken[] = { 0, 6, 0, 0 }, promised[] = { 0, 5, 0, 0 };
    static const uint8_t there[] = { 0, 1, 0x0c, 0 };
    static uint8_t sums[2 * MESSAGE_SUMS_BYTES] = { 0xaa, 0xbb };
    struct message in[SAMPLES], out;
    size_t plain, len;

    (void)state;
    samples(in);
    plain = message_encode(bytes, &in[0]);
    in[0].hello.takes_sums = true;
    assert_int_equal(message_encode(bytes, &in[0]), plain + sizeof(taken));
    assert_memory_equal(bytes + plain, taken, sizeof(taken));
    assert_int_equal(decode(plain + sizeof(taken), &out), MESSAGE_OK);
    assert_true(out.hello.takes_sums);

    plain = message_encode(bytes, &in[1]);
    in[1].plan.has_sums = true;
    assert_int_equal(message_encode(bytes, &in[1]), plain + sizeof(promised));
    assert_memory_equal(bytes + plain, promised, sizeof(promised));
    assert_int_equal(decode(plain + sizeof(promised), &out), MESSAGE_OK);
    assert_true(out.plan.has_sums);

    plain = message_encode(bytes, &in[10]);
    assert_int_equal(decode(plain, &out), MESSAGE_OK);
    assert_null(out.leaves.sums);
    in[10].leaves.sums = sums;
    len = message_encode(bytes, &in[10]);
    assert_int_equal(len, plain + sizeof(there) + sizeof(sums));
    assert_memory_equal(bytes + plain, there, sizeof(there));
    assert_memory_equal(bytes + plain + sizeof(there), sums, sizeof(sums));
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_memory_equal(out.leaves.sums, sums, sizeof(sums));
    /* Those of one chunk for two are none. */
    put_be16(bytes + plain + 2, MESSAGE_SUMS_BYTES);
    assert_int_equal(
        message_decode(MESSAGE_LEAVES, bytes + MESSAGE_HEADER_BYTES,
                       len - MESSAGE_HEADER_BYTES - MESSAGE_SUMS_BYTES, &out),
        MESSAGE_OK);
    assert_null(out.leaves.sums);
}

/* The longest that is said, which has to fit. */
static void test_most_sums(void **state)
{
    static uint8_t
        leaves[MESSAGE_SUMS_MAX * MESSAGE_CHUNK_LEAVES * MESSAGE_DIGEST_BYTES];
    static uint8_t sums[(MESSAGE_SUMS_MAX + 1) * MESSAGE_SUMS_BYTES];
    struct message in = { .type = MESSAGE_LEAVES }, out;

    (void)state;
    in.leaves = (struct message_leaves){ 0, MESSAGE_SUMS_MAX,
                                         MESSAGE_DIGEST_BYTES, leaves, sums };
    assert_int_equal(decode(message_encode(bytes, &in), &out), MESSAGE_OK);
    assert_non_null(out.leaves.sums);
    in.leaves.count++;
    in.leaves.digest_bytes = 1;
    assert_int_equal(decode(message_encode(bytes, &in), &out), MESSAGE_OK);
    assert_null(out.leaves.sums);
}

static void test_leaves_are_bounded(void **state)
{
    static const struct {
        uint16_t count, digest_bytes;
        enum message_result want;
    } cases[] = {
        { 0, 16, MESSAGE_BAD_VALUE },
        { MESSAGE_LEAVES_MAX + 1, 1, MESSAGE_BAD_VALUE },
        { 1, 0, MESSAGE_BAD_VALUE },
        { 1, MESSAGE_DIGEST_BYTES + 1, MESSAGE_BAD_VALUE },
        { MESSAGE_LEAVES_MAX, MESSAGE_DIGEST_BYTES, MESSAGE_SHORT },
    };
    uint8_t leaves[12] = { 0 };
    struct message out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put_be16(leaves + 8, cases[i].count);
        put_be16(leaves + 10, cases[i].digest_bytes);
        assert_int_equal(
            message_decode(MESSAGE_LEAVES, leaves, sizeof(leaves), &out),
            cases[i].want);
    }
}

/* A later version may say more of it than we know. */
static void test_codecs_of_other_length(void **state)
{
    static const uint8_t option[] = { 0, 1, 0, 2, 0, 1 };
    struct message in[SAMPLES], out;
    size_t len;

    (void)state;
    samples(in);
    len = message_encode(bytes, &in[0]);
    memcpy(bytes + len, option, sizeof(option));
    assert_int_equal(message_decode(MESSAGE_HELLO, bytes + MESSAGE_HEADER_BYTES,
                                    len + sizeof(option) - MESSAGE_HEADER_BYTES,
                                    &out),
                     MESSAGE_OK);
    assert_int_equal(out.hello.codecs, 0);
}

/* What the lanes waited goes behind the fields of PROGRESS. */
static void test_golden_waits(void **state)
{
    static const uint8_t option[] = { 0, 1, 0, 16, 0, 0, 0, 0, 0, 0,
                                      0, 5, 0, 0,  0, 0, 0, 0, 0, 6 };
    struct message in[SAMPLES], out;
    size_t plain, len;

    (void)state;
    samples(in);
    plain = message_encode(bytes, &in[5]);
    in[5].progress.has_waits = true;
    in[5].progress.waits = (struct message_waits){ 5, 6 };
    len = message_encode(bytes, &in[5]);
    assert_int_equal(len, plain + sizeof(option));
    assert_memory_equal(bytes + plain, option, sizeof(option));
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_true(out.progress.has_waits);
    assert_int_equal(out.progress.waits.disk_ns, 5);
    assert_int_equal(out.progress.waits.net_ns, 6);
}

static void test_every_cut_is_short(void **state)
{
    struct message in[SAMPLES], out;

    (void)state;
    samples(in);
    for (size_t i = 0; i < ARRAY_LEN(in); i++) {
        size_t len = message_encode(bytes, &in[i]) - MESSAGE_HEADER_BYTES;

        CASE(message_type_name(in[i].type));
        for (size_t cut = 0; cut < len; cut++)
            assert_int_not_equal(message_decode(in[i].type,
                                                bytes + MESSAGE_HEADER_BYTES,
                                                cut, &out),
                                 MESSAGE_OK);
    }
}

static void test_options_and_garbage(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        uint8_t tail[8];
        enum message_result want;
    } cases[] = {
        { "an unknown option", 6, { 0, 9, 0, 2, 1, 1 }, MESSAGE_OK },
        { "an empty option", 4, { 0, 9, 0, 0 }, MESSAGE_OK },
        { "half an option", 5, { 0, 9, 0, 2, 1 }, MESSAGE_TRAILING },
        { "one byte", 1, { 0 }, MESSAGE_TRAILING },
        { "tag zero", 4, { 0, 0, 0, 0 }, MESSAGE_TRAILING },
    };
    struct message in[SAMPLES], out;

    (void)state;
    samples(in);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = message_encode(bytes, &in[1]);

        CASE(cases[i].name);
        memcpy(bytes + len, cases[i].tail, cases[i].len);
        assert_int_equal(
            message_decode(MESSAGE_PLAN, bytes + MESSAGE_HEADER_BYTES,
                           len - MESSAGE_HEADER_BYTES + cases[i].len, &out),
            cases[i].want);
    }
}

/* What has come since: said only where there is something to say. */
static void test_known_options(void **state)
{
    struct message in[SAMPLES], out;
    size_t len;

    (void)state;
    samples(in);
    in[0].hello.has_identity = true;
    memset(in[0].hello.identity, 0x5a, sizeof(in[0].hello.identity));
    len = message_encode(bytes, &in[0]);
    assert_int_equal(len, MESSAGE_HEADER_BYTES + 57 + 4 + 16);
    assert_memory_equal(bytes + len - 20, "\0\2\0\20\132\132", 6);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_true(out.hello.has_identity);
    assert_int_equal(out.hello.identity[15], 0x5a);

    in[0].hello.has_finished = true;
    in[0].hello.root[31] = 9;
    len = message_encode(bytes, &in[0]);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_true(out.hello.has_finished && out.hello.has_identity);
    assert_int_equal(out.hello.root[31], 9);

    in[1].plan.has_identity = in[1].plan.wants_trust = true;
    in[1].plan.identity[0] = 7;
    len = message_encode(bytes, &in[1]);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_true(out.plan.has_identity && out.plan.wants_trust);
    assert_int_equal(out.plan.identity[0], 7);

    in[7].finish.unread_bytes = UINT64_C(1) << 33;
    len = message_encode(bytes, &in[7]);
    assert_memory_equal(bytes + len - 12, "\0\1\0\10\0\0\0\2\0\0\0\0", 12);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_int_equal(out.finish.unread_bytes, UINT64_C(1) << 33);

    /* One of another length is of a later version, and skipped. */
    bytes[len - 9] = 4;
    bytes[7] = (uint8_t)(bytes[7] - 4);
    assert_int_equal(decode(len - 4, &out), MESSAGE_OK);
    assert_int_equal(out.finish.unread_bytes, 0);
}

static void test_bad_headers(void **state)
{
    static const struct {
        const char *name;
        uint8_t header[MESSAGE_HEADER_BYTES];
        enum message_result want;
    } cases[] = {
        { "type 0", { 0, 0, 0, 0, 0, 0, 0, 0 }, MESSAGE_BAD_TYPE },
        { "type 12", { 0, 12, 0, 0, 0, 0, 0, 0 }, MESSAGE_BAD_TYPE },
        { "a flag", { 0, 4, 0, 1, 0, 0, 0, 0 }, MESSAGE_BAD_TYPE },
        { "65537 bytes", { 0, 4, 0, 0, 0, 1, 0, 1 }, MESSAGE_BAD_LENGTH },
        { "4 GiB", { 0, 4, 0, 0, 255, 255, 255, 255 }, MESSAGE_BAD_LENGTH },
        { "65536 bytes", { 0, 4, 0, 0, 0, 1, 0, 0 }, MESSAGE_OK },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum message_type type;
        uint32_t payload;

        CASE(cases[i].name);
        assert_int_equal(
            message_decode_header(cases[i].header, &type, &payload),
            cases[i].want);
    }
}

/* Encodes in[i] after change, and expects BAD_VALUE. */
#define EXPECT_BAD(i, change)                                   \
    do {                                                        \
        struct message in[SAMPLES], out;                        \
        samples(in);                                            \
        change;                                                 \
        size_t len = message_encode(bytes, &in[i]);             \
        CASE(#change);                                          \
        assert_int_equal(decode(len, &out), MESSAGE_BAD_VALUE); \
    } while (0)

static void test_bad_values(void **state)
{
    (void)state;
    EXPECT_BAD(0, in[0].hello.lanes = 0);
    EXPECT_BAD(0, in[0].hello.lanes = MESSAGE_MAX_LANES + 1);
    EXPECT_BAD(0, in[0].hello.virtual_bytes = UINT64_C(1) << 63);
    EXPECT_BAD(0, in[0].hello.data_bytes = UINT64_C(1) << 41);
    EXPECT_BAD(1, in[1].plan.lanes = 0);
    EXPECT_BAD(1, in[1].plan.disk_bytes = UINT64_MAX);
    EXPECT_BAD(4, in[4].join.lane = MESSAGE_MAX_LANES);
    EXPECT_BAD(6, in[6].error.kind = 0);
    EXPECT_BAD(6, in[6].error.kind = 256);
}

/* A sender escapes what is not printable; a receiver refuses it. */
static void test_text(void **state)
{
    static const char *const bad[] = { "\033c",   "\n.",      "\x7f.",
                                       "\xff.",   "\xc2\x85", "\xc0\xaf",
                                       "\xe2\x82" };
    struct message in[SAMPLES], out;
    uint8_t *text;
    size_t len;

    (void)state;
    samples(in);
    memcpy(in[6].error.text, "r\xe9sum\303\251 \033[1m", 13);
    len = message_encode(bytes, &in[6]);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_string_equal(out.error.text, "r\\xe9sum\303\251 \\x1b[1m");

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CASE(bad[i]);
        memcpy(in[6].error.text, "findme", 7);
        len = message_encode(bytes, &in[6]);
        text = memmem(bytes, len, "findme", 6);
        assert_non_null(text);
        memcpy(text + 6 - strlen(bad[i]), bad[i], strlen(bad[i]));
        assert_int_equal(decode(len, &out), MESSAGE_BAD_VALUE);
    }
}

static void test_long_strings_are_cut(void **state)
{
    struct message in[SAMPLES], out;
    size_t len;

    (void)state;
    samples(in);
    memset(in[6].error.text, 'x', sizeof(in[6].error.text));
    len = message_encode(bytes, &in[6]);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_int_equal(strlen(out.error.text), MESSAGE_TEXT_BYTES - 1);
}

static void test_have_is_bounded(void **state)
{
    struct message out;
    uint8_t have[12] = { 0 };

    (void)state; /* claims 65535 digests of 65535 bytes */
    put_be16(have + 8, 65535);
    put_be16(have + 10, 65535);
    assert_int_equal(message_decode(MESSAGE_HAVE, have, sizeof(have), &out),
                     MESSAGE_BAD_VALUE);
    put_be16(have + 10, 0); /* zeros need no digests */
    assert_int_equal(message_decode(MESSAGE_HAVE, have, sizeof(have), &out),
                     MESSAGE_OK);
    assert_int_equal(out.have.count, 65535);
    put_be16(have + 8, 0);
    assert_int_equal(message_decode(MESSAGE_HAVE, have, sizeof(have), &out),
                     MESSAGE_BAD_VALUE);
    put_be16(have + 8, MESSAGE_HAVE_MAX);
    put_be16(have + 10, MESSAGE_DIGEST_BYTES);
    assert_int_equal(message_decode(MESSAGE_HAVE, have, sizeof(have), &out),
                     MESSAGE_SHORT);
}

static void test_space_travels_as_an_option(void **state)
{
    struct message in[SAMPLES], out;
    size_t len, bare;

    (void)state;
    samples(in);
    bare = message_encode(bytes, &in[6]);
    in[6].error.has_space = true;
    for (uint64_t i = 0; i < MESSAGE_SPACE_COUNT; i++)
        in[6].error.space[i] = 1000 + i;
    len = message_encode(bytes, &in[6]);
    assert_int_equal(len, bare + 4 + 40);
    assert_int_equal(decode(len, &out), MESSAGE_OK);
    assert_true(out.error.has_space);
    assert_memory_equal(out.error.space, in[6].error.space,
                        sizeof(out.error.space));
    bytes[MESSAGE_HEADER_BYTES + bare - MESSAGE_HEADER_BYTES + 1] = 9;
    assert_int_equal(decode(len, &out), MESSAGE_OK); /* another tag */
    assert_false(out.error.has_space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_golden_codecs),
        cmocka_unit_test(test_golden_waits),
        cmocka_unit_test(test_golden_delta),
        cmocka_unit_test(test_golden_parts),
        cmocka_unit_test(test_golden_sums),
        cmocka_unit_test(test_golden_padding),
        cmocka_unit_test(test_most_sums),
        cmocka_unit_test(test_leaves_are_bounded),
        cmocka_unit_test(test_codecs_of_other_length),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_every_cut_is_short),
        cmocka_unit_test(test_options_and_garbage),
        cmocka_unit_test(test_known_options),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_long_strings_are_cut),
        cmocka_unit_test(test_space_travels_as_an_option),
        cmocka_unit_test(test_have_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
