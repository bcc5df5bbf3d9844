/* What is kept of told chunks: found again, dropped, and never too many. */
#include <string.h>

#include "resume/leaf_cache.h"
#include "unit.h"

#define EACH (MESSAGE_CHUNK_LEAVES * 16U)

static void fill(uint8_t digests[EACH], uint64_t chunk)
{
    memset(digests, (int)(chunk % 251 + 1), EACH);
}

static void test_keeps(void **state)
{
    static struct leaf_cache leaves;
    uint8_t digests[EACH], back[EACH];
    struct error err;

    (void)state;
    assert_int_equal(leaf_cache_open(&leaves, 16, false, &err), 0);
    /* All in one bucket, and then some that are not. */
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t chunk = i < 10 ? i * MESSAGE_LEAVES_AHEAD : i;

        fill(digests, chunk);
        assert_true(leaf_cache_put(&leaves, chunk, digests, NULL));
    }
    leaf_cache_drop(&leaves, 3 * MESSAGE_LEAVES_AHEAD, 1);
    leaf_cache_drop(&leaves, 12, 5);
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t chunk = i < 10 ? i * MESSAGE_LEAVES_AHEAD : i;
        bool gone = i == 3 || (i >= 12 && i < 17);

        fill(digests, chunk);
        assert_int_equal(leaf_cache_get(&leaves, chunk, back, NULL), !gone);
        if (!gone)
            assert_memory_equal(back, digests, EACH);
    }
    assert_false(leaf_cache_get(&leaves, 1000, back, NULL));
    for (unsigned i = 0; i < 14; i++) {
        uint64_t chunk;

        assert_true(leaf_cache_take_any(&leaves, &chunk));
        assert_false(leaf_cache_get(&leaves, chunk, back, NULL));
    }
    assert_false(leaf_cache_take_any(&leaves, &(uint64_t){ 0 }));
    leaf_cache_close(&leaves);
}

static void test_list(void **state)
{
    static struct leaf_cache leaves;
    uint8_t digests[EACH] = { 0 };
    uint64_t chunks[3], sum = 0;
    struct error err;

    (void)state;
    assert_int_equal(leaf_cache_list(&leaves, chunks, 3), 0); /* not open */
    assert_int_equal(leaf_cache_open(&leaves, 16, false, &err), 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(leaf_cache_put(&leaves, i * MESSAGE_LEAVES_AHEAD / 2,
                                   digests, NULL));
    assert_int_equal(leaf_cache_list(&leaves, chunks, 2), 2);
    assert_int_equal(leaf_cache_list(&leaves, chunks, 3), 3);
    for (unsigned i = 0; i < 3; i++)
        sum += chunks[i];
    assert_int_equal(sum, 3 * MESSAGE_LEAVES_AHEAD);
    leaf_cache_close(&leaves);
}

static void test_count_held(void **state)
{
    uint8_t digests[EACH];

    (void)state;
    memset(digests, MESSAGE_LEAF_MISSING, sizeof(digests));
    assert_int_equal(leaf_cache_count_held(digests, 16), 0);
    digests[15] = 0;
    digests[32] = 0;
    assert_int_equal(leaf_cache_count_held(digests, 16), 2);
}

static void test_has_an_end(void **state)
{
    static struct leaf_cache leaves;
    uint8_t digests[EACH] = { 0 };
    struct error err;

    (void)state;
    assert_int_equal(leaf_cache_open(&leaves, 16, false, &err), 0);
    for (uint64_t i = 0; i < MESSAGE_LEAVES_AHEAD; i++) {
        assert_true(leaf_cache_has_room(&leaves));
        assert_true(leaf_cache_put(&leaves, i * 7, digests, NULL));
    }
    assert_false(leaf_cache_has_room(&leaves));
    assert_false(leaf_cache_put(&leaves, 3, digests, NULL));
    leaf_cache_drop(&leaves, 0, 8);
    assert_int_equal(leaves.count, MESSAGE_LEAVES_AHEAD - 2);
    assert_true(leaf_cache_put(&leaves, 3, digests, NULL));
    leaf_cache_drop(&leaves, 0, MESSAGE_LEAVES_AHEAD * 7);
    assert_int_equal(leaves.count, 0);
    leaf_cache_close(&leaves);
}

/* Sums go with their leaves, where they are kept. */
static void test_sums(void **state)
{
    static struct leaf_cache leaves;
    static uint8_t sums[MESSAGE_SUMS_BYTES], back[MESSAGE_SUMS_BYTES];
    uint8_t digests[EACH];
    struct error err;

    (void)state;
    assert_int_equal(leaf_cache_open(&leaves, 16, true, &err), 0);
    for (uint64_t chunk = 0; chunk < 9; chunk++) {
        fill(digests, chunk);
        memset(sums, (int)chunk + 100, sizeof(sums));
        assert_true(leaf_cache_put(&leaves, chunk, digests, sums));
    }
    assert_true(leaf_cache_get(&leaves, 8, digests, back));
    assert_memory_equal(back, sums, sizeof(sums));
    assert_true(leaf_cache_get(&leaves, 3, digests, back));
    assert_int_equal(back[MESSAGE_SUMS_BYTES - 1], 103);
    assert_true(leaf_cache_get(&leaves, 3, digests, NULL));
    leaf_cache_close(&leaves);
}

static void test_none(void **state)
{
    static struct leaf_cache leaves;
    uint8_t digests[EACH];

    (void)state;
    assert_false(leaf_cache_get(&leaves, 0, digests, NULL));
    leaf_cache_drop(&leaves, 0, 10);
    leaf_cache_close(&leaves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),  cmocka_unit_test(test_count_held),
        cmocka_unit_test(test_keeps), cmocka_unit_test(test_has_an_end),
        cmocka_unit_test(test_sums),  cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
