#include "plan/chunk_grid.h"
#include "unit.h"
#include "wire/crc32c.h"
#include "wire/frame.h"

#define MIB  (UINT64_C(1) << 20)
#define DISK (UINT64_C(10) * MIB + 777)

static void test_crc_vector(void **state)
{
    (void)state; /* RFC 3720 B.4 and the usual check string */
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

/* Version 1 peers will send these bytes for ever. */
static void test_golden(void **state)
{
    static const uint8_t want[FRAME_HEADER_BYTES] = {
        /* clang-format off */
        0xc1, 0x0e, 0x01, 0x00, 0xbd, 0x70, 0x7f, 0xde,
        0, 0, 0, 0, 0, 0x20, 0x10, 0x00,
        0, 0, 0, 0, 0, 0x00, 0x20, 0x00,
        /* clang-format on */
    };
    struct frame f = { FRAME_DATA, 2 * MIB + 4096, 8192, 0 }, back;
    uint8_t got[FRAME_HEADER_BYTES];

    (void)state;
    frame_encode(got, &f);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(frame_decode(got, sizeof(got), DISK, &back), FRAME_OK);
    assert_int_equal(back.type, f.type);
    assert_int_equal(back.offset, f.offset);
    assert_int_equal(back.length, f.length);
}

static void test_golden_patch(void **state)
{
    static const uint8_t want[FRAME_HEADER_BYTES] = {
        /* clang-format off */
        0xc1, 0x0e, 0x06, 0x00, 0x13, 0xf3, 0x39, 0x9b,
        0, 0, 0, 0, 0, 0x20, 0x00, 0x00,
        0, 0, 0, 0, 0, 0x10, 0x00, 0x00,
        /* clang-format on */
    };
    struct frame f = { FRAME_PATCH, 2 * MIB, MIB, 0 }, back;
    uint8_t got[FRAME_HEADER_BYTES];

    (void)state;
    frame_encode(got, &f);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(frame_decode(got, sizeof(got), DISK, &back), FRAME_OK);
    assert_int_equal(back.type, f.type);
    assert_int_equal(back.offset, f.offset);
    assert_int_equal(back.length, f.length);
}

static void test_golden_packed(void **state)
{
    static const uint8_t want[FRAME_HEADER_BYTES] = {
        /* clang-format off */
        0xc1, 0x0e, 0x05, 0x00, 0x94, 0xd2, 0x41, 0x7c,
        0, 0, 0, 0, 0, 0x20, 0x10, 0x00,
        0, 0, 0x04, 0xd2, 0, 0x00, 0x20, 0x00,
        /* clang-format on */
    };
    struct frame f = { FRAME_ZSTD, 2 * MIB + 4096, 8192, 1234 }, back;
    uint8_t got[FRAME_HEADER_BYTES];

    (void)state;
    frame_encode(got, &f);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(frame_decode(got, sizeof(got), DISK, &back), FRAME_OK);
    assert_int_equal(back.type, f.type);
    assert_int_equal(back.offset, f.offset);
    assert_int_equal(back.length, f.length);
    assert_int_equal(back.packed_bytes, f.packed_bytes);
}

static void test_bit_flips(void **state)
{
    struct frame f = { FRAME_ZERO, 0, 4 * MIB, 0 };
    uint8_t bytes[FRAME_HEADER_BYTES];

    (void)state;
    frame_encode(bytes, &f);
    for (unsigned bit = 0; bit < FRAME_HEADER_BYTES * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_int_not_equal(frame_decode(bytes, sizeof(bytes), DISK, &f),
                             FRAME_OK);
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    for (size_t len = 0; len < FRAME_HEADER_BYTES; len++)
        assert_int_equal(frame_decode(bytes, len, DISK, &f), FRAME_SHORT);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *name;
        struct frame frame;
        enum frame_result want;
    } cases[] = {
        { "a whole chunk", { FRAME_DATA, MIB, MIB, 0 }, FRAME_OK },
        { "the short end", { FRAME_DATA, 10 * MIB, 777, 0 }, FRAME_OK },
        { "a grain", { FRAME_ZERO, 4096, 4096, 0 }, FRAME_OK },
        { "many chunks", { FRAME_ZERO, MIB, 5 * MIB, 0 }, FRAME_OK },
        { "to the end", { FRAME_ZERO, MIB, DISK - MIB, 0 }, FRAME_OK },
        { "the end", { FRAME_END, 0, 0, 0 }, FRAME_OK },
        { "a chunk as told", { FRAME_SAME, MIB, MIB, 0 }, FRAME_OK },
        { "many as told", { FRAME_SAME, MIB, DISK - MIB, 0 }, FRAME_OK },
        { "the short end as told", { FRAME_SAME, 10 * MIB, 777, 0 }, FRAME_OK },
        { "a leaf as told", { FRAME_SAME, MIB + 65536, 65536, 0 }, FRAME_OK },
        { "some leaves as told", { FRAME_SAME, MIB, 655360, 0 }, FRAME_OK },
        { "a grain as told", { FRAME_SAME, MIB + 4096, 4096, 0 }, FRAME_OK },
        { "less than a grain as told",
          { FRAME_SAME, MIB, 512, 0 },
          FRAME_BAD_RANGE },
        { "a patch", { FRAME_PATCH, MIB, MIB, 0 }, FRAME_OK },
        { "a short patch", { FRAME_PATCH, 10 * MIB, 777, 0 }, FRAME_OK },
        { "half a patch", { FRAME_PATCH, MIB, MIB / 2, 0 }, FRAME_BAD_RANGE },
        { "two patches", { FRAME_PATCH, MIB, 2 * MIB, 0 }, FRAME_BAD_RANGE },
        { "no patch", { FRAME_PATCH, MIB, 0, 0 }, FRAME_BAD_RANGE },
        { "a patch from inside",
          { FRAME_PATCH, MIB + 4096, MIB - 4096, 0 },
          FRAME_BAD_RANGE },
        { "leaves over an edge as told",
          { FRAME_SAME, 2 * MIB - 65536, 131072, 0 },
          FRAME_BAD_RANGE },
        { "as told, from inside",
          { FRAME_SAME, MIB + 4096, MIB - 4096, 0 },
          FRAME_OK },
        { "as told, ends inside",
          { FRAME_SAME, MIB, MIB + 4096, 0 },
          FRAME_BAD_RANGE },
        { "empty as told", { FRAME_SAME, MIB, 0, 0 }, FRAME_BAD_RANGE },
        { "packed", { FRAME_ZSTD, MIB, MIB, 1 }, FRAME_OK },
        { "packed by a byte", { FRAME_ZSTD, MIB, 8192, 8191 }, FRAME_OK },
        { "the short end packed", { FRAME_ZSTD, 10 * MIB, 777, 9 }, FRAME_OK },
        { "packed to nothing", { FRAME_ZSTD, MIB, MIB, 0 }, FRAME_BAD_RANGE },
        { "packed in vain", { FRAME_ZSTD, MIB, MIB, MIB }, FRAME_BAD_RANGE },
        { "packed to more",
          { FRAME_ZSTD, MIB, 4096, UINT32_MAX },
          FRAME_BAD_RANGE },
        { "packed nothing", { FRAME_ZSTD, MIB, 0, 0 }, FRAME_BAD_RANGE },
        { "packed over an edge",
          { FRAME_ZSTD, MIB - 4096, 8192, 10 },
          FRAME_BAD_RANGE },
        { "two chunks packed",
          { FRAME_ZSTD, MIB, 2 * MIB, 10 },
          FRAME_BAD_RANGE },
        { "END with a range", { FRAME_END, 0, 1, 0 }, FRAME_BAD_RANGE },
        { "empty", { FRAME_DATA, MIB, 0, 0 }, FRAME_BAD_RANGE },
        { "empty zero", { FRAME_ZERO, MIB, 0, 0 }, FRAME_BAD_RANGE },
        { "data over two chunks",
          { FRAME_DATA, MIB, 2 * MIB, 0 },
          FRAME_BAD_RANGE },
        { "data across an edge",
          { FRAME_DATA, MIB - 4096, 8192, 0 },
          FRAME_BAD_RANGE },
        { "zeros across an edge",
          { FRAME_ZERO, MIB - 4096, 8192, 0 },
          FRAME_BAD_RANGE },
        { "zeros end inside",
          { FRAME_ZERO, MIB, MIB + 4096, 0 },
          FRAME_BAD_RANGE },
        { "off the grain", { FRAME_DATA, 100, 4096, 0 }, FRAME_BAD_RANGE },
        { "ends off the grain", { FRAME_DATA, 0, 100, 0 }, FRAME_BAD_RANGE },
        { "beyond the end",
          { FRAME_DATA, 10 * MIB, 4096, 0 },
          FRAME_BAD_RANGE },
        { "outside", { FRAME_DATA, 11 * MIB, 4096, 0 }, FRAME_BAD_RANGE },
        { "wraps", { FRAME_ZERO, 0 - MIB, 2 * MIB, 0 }, FRAME_BAD_RANGE },
        { "huge", { FRAME_ZERO, 0, UINT64_MAX, 0 }, FRAME_BAD_RANGE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[FRAME_HEADER_BYTES];
        struct frame got = { .offset = 0 };

        CASE(cases[i].name);
        frame_encode(bytes, &cases[i].frame);
        assert_int_equal(frame_decode(bytes, sizeof(bytes), DISK, &got),
                         cases[i].want);
        assert_int_equal(got.length,
                         cases[i].want == FRAME_OK ? cases[i].frame.length : 0);
    }
}

static void test_types(void **state)
{
    struct frame f = { FRAME_END, 0, 0, 0 };
    uint8_t bytes[FRAME_HEADER_BYTES];
    unsigned unknown = FRAME_PATCH + 1;

    (void)state;
    f.type = (enum frame_type)unknown;
    frame_encode(bytes, &f);
    assert_int_equal(frame_decode(bytes, sizeof(bytes), DISK, &f),
                     FRAME_BAD_TYPE);
    assert_string_equal(frame_result_text(FRAME_BAD_TYPE),
                        "unknown frame type or flag");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vector),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_golden_packed),
        cmocka_unit_test(test_golden_patch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
