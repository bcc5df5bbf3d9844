/* Which parts of a chunk are read again, so that it can be digested. */
#include "resume/chunk_merge.h"
#include "unit.h"

#define LEAF ((size_t)LEAF_BYTES)
#define MIB  ((size_t)1 << 20)

static uint8_t buf[1 << 20];
static struct chunk_merge merge;

static void expect_read(unsigned i, size_t at, size_t len)
{
    CASE("read");
    assert_true(i < merge.read_count);
    assert_ptr_equal(merge.reads[i].buf, buf + at);
    assert_int_equal(merge.reads[i].offset, 7 * MIB + at);
    assert_int_equal(merge.reads[i].len, len);
    assert_ptr_equal(merge.reads[i].owner, &merge);
}

static unsigned plan(size_t len)
{
    return chunk_merge_plan_reads(&merge, buf, 7 * MIB, len, &merge);
}

/* What stays in whole leaves is known by their digests. */
static void test_whole_leaves(void **state)
{
    (void)state;
    chunk_merge_start(&merge);
    assert_int_equal(chunk_merge_leaves(&merge, MIB), 0);
    assert_int_equal(plan(MIB), 0);
    chunk_merge_keep(&merge, LEAF, 3 * LEAF);
    chunk_merge_keep(&merge, 15 * LEAF, MIB);
    assert_int_equal(chunk_merge_leaves(&merge, MIB), 0x8006);
    assert_int_equal(plan(MIB), 0);
}

/* A leaf that stays but for a grain is read around it. */
static void test_around_a_grain(void **state)
{
    (void)state;
    chunk_merge_start(&merge);
    chunk_merge_keep(&merge, 0, 2 * LEAF + 4096);
    chunk_merge_keep(&merge, 2 * LEAF + 8192, 3 * LEAF - 4096);
    chunk_merge_keep(&merge, 3 * LEAF + 4096, MIB);
    assert_int_equal(chunk_merge_leaves(&merge, MIB), 0xfff3);
    assert_int_equal(plan(MIB), 3);
    expect_read(0, 2 * LEAF, 4096);
    expect_read(1, 2 * LEAF + 8192, LEAF - 12288);
    expect_read(2, 3 * LEAF + 4096, LEAF - 4096);
}

/* Parts of leaves that touch are one read. */
static void test_neighbours(void **state)
{
    (void)state;
    chunk_merge_start(&merge);
    chunk_merge_keep(&merge, 4096, 2 * LEAF - 4096);
    assert_int_equal(chunk_merge_leaves(&merge, MIB), 0);
    assert_int_equal(plan(MIB), 1);
    expect_read(0, 4096, 2 * LEAF - 8192);
}

/* The end of a disk that is no whole sector. */
static void test_short_end(void **state)
{
    size_t len = LEAF + 5 * 4096 + 777;

    (void)state;
    chunk_merge_start(&merge);
    chunk_merge_keep(&merge, 0, LEAF);
    chunk_merge_keep(&merge, LEAF + 4096, len);
    assert_int_equal(chunk_merge_leaves(&merge, len), 1);
    assert_int_equal(plan(len), 1);
    expect_read(0, LEAF + 4096, 4 * 4096 + 777);
    chunk_merge_keep(&merge, LEAF, LEAF + 4096);
    assert_int_equal(chunk_merge_leaves(&merge, len), 3);
}

/* Every other grain: as many reads as there can be. */
static void test_most_reads(void **state)
{
    (void)state;
    chunk_merge_start(&merge);
    for (size_t at = 0; at < MIB; at += 8192)
        chunk_merge_keep(&merge, at, at + 4096);
    assert_int_equal(plan(MIB), 128);
    expect_read(127, MIB - 8192, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_leaves),
        cmocka_unit_test(test_around_a_grain),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_short_end),
        cmocka_unit_test(test_most_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
