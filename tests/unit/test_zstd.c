#include <stdlib.h>

#include "base/zstd.h"
#include "unit.h"

#define LEN ((size_t)1 << 20)

static uint8_t plain[LEN], packed[2 * LEN], out[LEN + 1];

static struct zstd_packer *packer;
static struct zstd_unpacker *unpacker;

static int set_up(void **state)
{
    (void)state;
    packer = zstd_packer_open();
    unpacker = zstd_unpacker_open();
    return packer && unpacker ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    zstd_packer_close(packer);
    zstd_unpacker_close(unpacker);
    return 0;
}

/* Words out of a small alphabet: about what a text file is. */
static void fill_text(void)
{
    unsigned seed = 7;

    for (size_t i = 0; i < LEN; i++) {
        seed = seed * 1103515245U + 12345U;
        plain[i] = (uint8_t)('a' + (seed >> 16) % 16);
    }
}

static void fill_random(void)
{
    uint64_t seed = 88172645463325252U; /* xorshift64 */

    for (size_t i = 0; i < LEN; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        plain[i] = (uint8_t)(seed >> 32);
    }
}

static void test_round_trip(void **state)
{
    static const size_t lens[] = { 1, 2, 777, 4096, 65536, LEN - 1, LEN };

    (void)state;
    fill_text();
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        size_t n = zstd_pack(packer, plain, lens[i], packed, sizeof(packed));

        assert_true(n > 0);
        assert_int_equal(zstd_frame_bytes(packed, n), n);
        memset(out, 0, sizeof(out));
        assert_true(zstd_unpack_exactly(unpacker, packed, n, out, lens[i]));
        assert_memory_equal(out, plain, lens[i]);
    }
}

static void test_no_room_is_not_packed(void **state)
{
    size_t n;

    (void)state;
    fill_random();
    assert_int_equal(zstd_pack(packer, plain, LEN, packed, LEN - LEN / 16), 0);
    fill_text();
    n = zstd_pack(packer, plain, LEN, packed, LEN - LEN / 16);
    assert_in_range(n, 1, LEN - LEN / 16);
    /* Exactly enough is enough, and one byte less is not. */
    assert_int_equal(zstd_pack(packer, plain, LEN, packed, n - 1), 0);
}

static void test_other_lengths_are_refused(void **state)
{
    size_t n;

    (void)state;
    fill_text();
    n = zstd_pack(packer, plain, 4096, packed, sizeof(packed));
    assert_false(zstd_unpack_exactly(unpacker, packed, n, out, 4095));
    assert_false(zstd_unpack_exactly(unpacker, packed, n, out, 4097));
    assert_true(zstd_unpack_exactly(unpacker, packed, n, out, 4096));
}

static void test_more_or_less_than_a_frame_is_refused(void **state)
{
    size_t n;

    (void)state;
    fill_text();
    n = zstd_pack(packer, plain, 4096, packed, sizeof(packed));
    for (size_t cut = 0; cut < n; cut++)
        assert_false(zstd_unpack_exactly(unpacker, packed, cut, out, 4096));
    packed[n] = 0;
    assert_false(zstd_unpack_exactly(unpacker, packed, n + 1, out, 4096));
    memcpy(packed + n, packed, n); /* a second frame */
    assert_false(zstd_unpack_exactly(unpacker, packed, 2 * n, out, 8192));
}

static void test_other_formats_are_refused(void **state)
{
    static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
    size_t n;

    (void)state;
    fill_text();
    n = zstd_pack(packer, plain, 4096, packed + sizeof(skippable),
                  sizeof(packed) - sizeof(skippable));
    memcpy(packed, skippable, sizeof(skippable));
    assert_false(zstd_unpack_exactly(unpacker, packed, n + sizeof(skippable),
                                     out, 4096));
    packed[sizeof(skippable)] = 0x27; /* libzstd 0.7's own */
    assert_false(zstd_unpack_exactly(unpacker, packed + sizeof(skippable), n,
                                     out, 4096));
}

/* Whatever a bit does, nothing is written behind what was asked for. */
static void test_damage(void **state)
{
    size_t n;

    (void)state;
    fill_text();
    n = zstd_pack(packer, plain, 4096, packed, sizeof(packed));
    for (size_t bit = 0; bit < n * 8; bit++) {
        packed[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        out[4096] = 0xa5;
        (void)zstd_unpack_exactly(unpacker, packed, n, out, 4096);
        assert_int_equal(out[4096], 0xa5);
        packed[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void test_close_tolerates_null(void **state)
{
    (void)state;
    zstd_packer_close(NULL);
    zstd_unpacker_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_room_is_not_packed),
        cmocka_unit_test(test_other_lengths_are_refused),
        cmocka_unit_test(test_more_or_less_than_a_frame_is_refused),
        cmocka_unit_test(test_other_formats_are_refused),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_close_tolerates_null),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
