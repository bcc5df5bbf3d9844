/* What a source offers, takes for an answer, and then does to its data. */
#include <stdlib.h>

#include "base/clock.h"
#include "transfer/compressor.h"
#include "unit.h"
#include "wire/message.h"

#define LEN ((size_t)1 << 20)

static uint8_t data[LEN];

static void fill_text(void)
{
    for (size_t i = 0; i < LEN; i++)
        data[i] = (uint8_t)('a' + i / 7 % 13);
}

static void fill_noise(void)
{
    uint64_t seed = 88172645463325252U; /* xorshift64 */

    for (size_t i = 0; i < LEN; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        data[i] = (uint8_t)(seed >> 32);
    }
}

static void test_agree(void **state)
{
    static const struct {
        const char *name;
        enum cw_compress wish;
        uint32_t codecs;
        int want;
        enum error_kind kind;
    } cases[] = {
        { "auto, taken", CW_COMPRESS_AUTO, 1, 0, ERROR_NONE },
        { "auto, an old target", CW_COMPRESS_AUTO, 0, 0, ERROR_NONE },
        { "auto, not offered", CW_COMPRESS_AUTO, 3, -1, ERROR_PROTOCOL },
        { "zstd, taken", CW_COMPRESS_ZSTD, 1, 0, ERROR_NONE },
        { "zstd, an old target", CW_COMPRESS_ZSTD, 0, -1, ERROR_USAGE },
        { "zstd, another", CW_COMPRESS_ZSTD, 2, -1, ERROR_PROTOCOL },
        { "off", CW_COMPRESS_OFF, 0, 0, ERROR_NONE },
        { "off, not offered", CW_COMPRESS_OFF, 1, -1, ERROR_PROTOCOL },
    };

    (void)state;
    assert_int_equal(compressor_offer(CW_COMPRESS_OFF), 0);
    assert_int_equal(compressor_offer(CW_COMPRESS_AUTO), MESSAGE_CODEC_ZSTD);
    assert_int_equal(compressor_offer(CW_COMPRESS_ZSTD), MESSAGE_CODEC_ZSTD);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = { .kind = ERROR_NONE };

        CASE(cases[i].name);
        assert_int_equal(compressor_agree(cases[i].wish, cases[i].codecs, &err),
                         cases[i].want);
        assert_int_equal(err.kind, cases[i].kind);
    }
}

/* 0 where it goes as it is, else the bytes it goes as. */
static uint32_t packed_to(enum cw_compress wish, uint32_t codecs, size_t len)
{
    struct frame frame = { FRAME_DATA, 0, len, 0 };
    struct compressor compressor;
    uint8_t *payload;

    compressor_open(&compressor, wish, codecs);
    payload = compressor_pack(&compressor, &frame, data);
    assert_int_equal(payload == data, frame.type == FRAME_DATA);
    assert_int_equal(frame.length, len);
    if (frame.type == FRAME_ZSTD)
        assert_in_range(frame.packed_bytes, 1, len - len / 16);
    compressor_close(&compressor);
    return frame.packed_bytes;
}

static void test_pack(void **state)
{
    (void)state;
    fill_text();
    assert_int_not_equal(packed_to(CW_COMPRESS_ZSTD, 1, LEN), 0);
    assert_int_not_equal(packed_to(CW_COMPRESS_ZSTD, 1, 4096), 0);
    assert_int_equal(packed_to(CW_COMPRESS_ZSTD, 1, 1), 0);
    assert_int_equal(packed_to(CW_COMPRESS_ZSTD, 0, LEN), 0);
    assert_int_equal(packed_to(CW_COMPRESS_AUTO, 1, LEN), 0);
    assert_int_equal(packed_to(CW_COMPRESS_OFF, 1, LEN), 0);
    fill_noise();
    assert_int_equal(packed_to(CW_COMPRESS_ZSTD, 1, LEN), 0);
}

/* Headers go in front of the payload, and it unpacks to what it was. */
static void test_round_trip(void **state)
{
    struct zstd_unpacker *unpacker = zstd_unpacker_open();
    struct frame frame = { FRAME_DATA, 0, LEN, 0 };
    struct compressor compressor;
    uint8_t *payload, *back = malloc(LEN);

    (void)state;
    assert_true(unpacker && back);
    fill_text();
    compressor_open(&compressor, CW_COMPRESS_ZSTD, 1);
    payload = compressor_pack(&compressor, &frame, data);
    assert_int_equal(frame.type, FRAME_ZSTD);
    memset(payload - COMPRESSOR_HEADROOM_BYTES, 0xff,
           COMPRESSOR_HEADROOM_BYTES);
    assert_true(
        zstd_unpack_exactly(unpacker, payload, frame.packed_bytes, back, LEN));
    assert_memory_equal(back, data, LEN);
    compressor_close(&compressor);
    zstd_unpacker_close(unpacker);
    free(back);
}

/* Chunk after chunk, as slow as that: auto begins, and takes memory then. */
static void test_auto_begins(void **state)
{
    struct frame frame = { FRAME_DATA, 0, LEN, 0 };
    struct compressor compressor;
    uint64_t now_ns = CLOCK_SECOND_NS;

    (void)state;
    fill_text();
    compressor_open(&compressor, CW_COMPRESS_AUTO, 1);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t start_ns = now_ns;

        frame.type = FRAME_DATA;
        compressor_pack(&compressor, &frame, data);
        if (frame.type == FRAME_ZSTD)
            break;
        assert_null(compressor.room);
        now_ns += CLOCK_SECOND_NS / 20; /* 20 MiB/s */
        compressor_note(&compressor, start_ns, now_ns, CLOCK_SECOND_NS / 21,
                        false);
    }
    assert_int_equal(frame.type, FRAME_ZSTD);
    assert_non_null(compressor.room);
    compressor_close(&compressor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agree),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_auto_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
