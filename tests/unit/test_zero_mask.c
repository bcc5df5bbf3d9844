/* Blank leaves against a buffer that is cleared in whole. */
#include <stdlib.h>
#include <string.h>

#include "plan/chunk_grid.h"
#include "plan/zero_mask.h"
#include "record/digest.h"
#include "transfer/chunk.h"
#include "unit.h"

#define CHUNK ((size_t)CHUNK_BYTES)
#define LEAF  ((size_t)LEAF_BYTES)
#define TRIES 100U

static uint8_t left[CHUNK_BYTES];    /* with blank leaves in it */
static uint8_t cleared[CHUNK_BYTES]; /* the same, all bytes there */

/* Often a place where things meet, of leaves, grains or the end. */
static size_t some_place(unsigned *seed, size_t max)
{
    static const size_t steps[] = { LEAF, LEAF, BLOCK_BYTES, 1 };
    size_t step = steps[(size_t)rand_r(seed) % ARRAY_LEN(steps)];
    size_t at = (size_t)rand_r(seed) % (max + 1) / step * step;

    return rand_r(seed) % 8 == 0 ? max : at;
}

static bool is_all(const uint8_t *p, size_t len, uint8_t value)
{
    return len == 0 || (p[0] == value && memcmp(p, p + 1, len - 1) == 0);
}

/* What is blank is left alone, what else is in the range is cleared, what is
 * outside is left alone, too. */
static void check_range(size_t len, size_t begin, size_t end, unsigned blank)
{
    for (size_t at = 0; at < CHUNK; at += LEAF) {
        size_t leaf_end = at + LEAF < len ? at + LEAF : len;
        size_t from = begin > at ? begin : at;
        size_t to = end < leaf_end ? end : leaf_end;
        bool is_whole = at < len && begin <= at && leaf_end <= end;

        assert_int_equal(zero_mask_at(blank, at), is_whole);
        if (is_whole || from >= to) {
            assert_true(is_all(left + at, LEAF, 0xee));
            continue;
        }
        assert_true(is_all(left + at, from - at, 0xee));
        assert_true(is_all(left + from, to - from, 0));
        assert_true(is_all(left + to, at + LEAF - to, 0xee));
    }
}

static void test_blank_or_cleared(void **state)
{
    unsigned seed = unit_seed();

    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        size_t len = i % 2 ? CHUNK : 1 + some_place(&seed, CHUNK - 1);
        size_t end = some_place(&seed, len);
        size_t begin = some_place(&seed, end);

        memset(left, 0xee, sizeof(left));
        check_range(len, begin, end, zero_mask_out(left, len, begin, end));
    }
}

/* Makes [begin, end) zero in both. */
static unsigned zero(size_t len, size_t begin, size_t end)
{
    memset(cleared + begin, 0, end - begin);
    return zero_mask_out(left, len, begin, end);
}

static void check_zero(size_t len, unsigned blank)
{
    struct chunk with_hole = { .buf = left, .len = len, .blank = blank };
    struct chunk all_there = { .buf = cleared, .len = len };

    assert_int_equal(chunk_find_zero(&with_hole), chunk_find_zero(&all_there));
    assert_memory_equal(&with_hole.zero, &all_there.zero,
                        sizeof(with_hole.zero));
    assert_int_equal(with_hole.blank, all_there.blank);
}

static void check_digest(size_t len, unsigned blank)
{
    uint8_t a[DIGEST_LEAVES_BYTES] = { 0 }, b[DIGEST_LEAVES_BYTES] = { 0 };
    struct digest *digest;
    struct error err;

    assert_int_equal(digest_open(DIGEST_XXH3_128, len, &digest, &err), 0);
    digest_leaves(digest, left, len, 0, blank, a);
    digest_leaves(digest, cleared, len, 0, 0, b);
    assert_memory_equal(a, b, sizeof(a));
    digest_close(digest);
}

/* Runs, digests and what chunk_clear() makes of it are those of zeros. */
static void test_blank_is_zero(void **state)
{
    unsigned seed = unit_seed();

    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        size_t len = i % 2 ? CHUNK : 1 + some_place(&seed, CHUNK - 1);
        size_t middle = some_place(&seed, len);
        size_t end = some_place(&seed, middle);
        size_t begin = some_place(&seed, end);
        struct chunk chunk = { .buf = left, .len = len };

        memset(left, 0xee, sizeof(left));
        memset(cleared, 0xee, sizeof(cleared));
        chunk.blank = zero(len, begin, end);
        chunk.blank |= zero(len, middle, len);
        check_zero(len, chunk.blank);
        check_digest(len, chunk.blank);
        chunk_clear(&chunk);
        assert_int_equal(chunk.blank, 0);
        assert_memory_equal(left, cleared, sizeof(left));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank_or_cleared),
        cmocka_unit_test(test_blank_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
