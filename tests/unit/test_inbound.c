/* What of a chunk is written and kept when its lane is lost in the middle. */
#include <string.h>

#include "target/inbound.h"
#include "unit.h"

#define LEAF ((size_t)LEAF_BYTES)

static uint8_t buf[CHUNK_BYTES];
static struct inbound block = { .buf = buf };

static void came(size_t len, bool is_data)
{
    if (is_data) {
        inbound_add_run(&block, len);
        block.data_bytes += len;
    }
    block.filled += len;
}

static void test_cut(void **state)
{
    (void)state;
    inbound_start(&block, 3, 10 * CHUNK_BYTES);
    came(LEAF, true);
    came(LEAF, true); /* one run with it */
    came(LEAF, false);
    came(LEAF + 5000, true);
    came(4096, false);
    came(100, true);
    assert_int_equal(block.run_count, 3);
    assert_true(inbound_cut(&block));
    assert_int_equal(block.filled, 4 * LEAF);
    assert_int_equal(block.run_count, 2);
    assert_int_equal(block.runs[0].len, 2 * LEAF);
    assert_int_equal(block.runs[1].len, LEAF);
    assert_int_equal(block.runs[1].offset, 3 * CHUNK_BYTES + 3 * LEAF);
}

static void test_too_little(void **state)
{
    (void)state;
    inbound_start(&block, 0, CHUNK_BYTES);
    assert_false(inbound_cut(&block));
    inbound_start(&block, 0, CHUNK_BYTES);
    came(LEAF - 1, true);
    assert_false(inbound_cut(&block));
    assert_int_equal(block.run_count, 0);
}

static void test_keep_part(void **state)
{
    static struct leaf_cache leaves;
    uint8_t back[DIGEST_LEAVES_BYTES];
    struct error err;

    (void)state;
    assert_int_equal(leaf_cache_open(&leaves, 16, false, &err), 0);
    inbound_start(&block, 5, 10 * CHUNK_BYTES);
    came(2 * LEAF, true);
    assert_true(inbound_cut(&block));
    memset(block.leaves, 7, sizeof(block.leaves));
    inbound_keep_part(&block, 16, &leaves);
    assert_true(leaf_cache_get(&leaves, 5, back, NULL));
    assert_int_equal(leaf_cache_count_held(back, 16), 2);
    assert_int_equal(back[2 * 16], MESSAGE_LEAF_MISSING);
    assert_int_equal(back[0], 7);
    leaf_cache_close(&leaves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_keep_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
