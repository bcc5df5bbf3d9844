/* What is neither zero nor the new bytes is not overwritten. */
#include <stdlib.h>
#include <string.h>

#include "plan/chunk_grid.h"
#include "target/chunk_checks.h"
#include "unit.h"

#define DISK_BYTES (3 * CHUNK_BYTES - 1000)
#define CHUNK      UINT64_C(1)

static struct target_plan plan;
static uint8_t old[CHUNK_BYTES], new[CHUNK_BYTES];

/* The disk holds a chunk with data in its blocks 3 and 4, and two of zeros. */
static void hold(bool is_guarded)
{
    static uint8_t leaves[DIGEST_LEAVES_BYTES], sums[DIGEST_SUMS_BYTES];
    struct error err;

    memset(old, 0, sizeof(old));
    memset(old + 3 * BLOCK_BYTES, 0x5a, 2 * BLOCK_BYTES);
    memset(new, 0x77, sizeof(new));
    leaf_cache_close(&plan.leaves);
    memset(&plan, 0, sizeof(plan));
    plan.virtual_bytes = DISK_BYTES;
    plan.path = "/dev/disk";
    plan.is_guarded = is_guarded;
    assert_int_equal(leaf_cache_open(&plan.leaves, 16, true, &err), 0);
    digest_sums(old, sizeof(old), sums);
    assert_true(leaf_cache_put(&plan.leaves, CHUNK, leaves, sums));
}

/* Are count blocks from first on of the chunk written, as new has them? */
static bool may_write(unsigned first, unsigned count, struct error *err)
{
    struct chunk_checks checks;

    chunk_checks_start(&checks, &plan, CHUNK);
    return chunk_checks_overwrite(
               &checks, &plan, CHUNK * CHUNK_BYTES + first * BLOCK_BYTES,
               new + first *BLOCK_BYTES, count * BLOCK_BYTES, err) == 0;
}

static bool may_zero(unsigned first, unsigned count)
{
    struct chunk_checks checks;
    struct error err;

    chunk_checks_start(&checks, &plan, CHUNK);
    return chunk_checks_overwrite(&checks, &plan,
                                  CHUNK * CHUNK_BYTES + first * BLOCK_BYTES,
                                  NULL, count * BLOCK_BYTES, &err) == 0;
}

static void test_data_of_others_stays(void **state)
{
    struct error err;

    (void)state;
    hold(true);
    assert_true(may_write(0, 3, &err));
    assert_true(may_write(5, 251, &err));
    assert_false(may_write(2, 3, &err));
    assert_int_equal(err.kind, ERROR_REFUSED);
    assert_int_equal(err.offset, CHUNK_BYTES + 3 * BLOCK_BYTES);
    assert_true(may_zero(0, 3));
    assert_false(may_zero(4, 1));
    assert_int_equal(chunk_checks_zero(&plan, 0, 1, &err), 0);
    assert_int_equal(chunk_checks_zero(&plan, 2, 1, &err), 0);
    assert_int_equal(chunk_checks_zero(&plan, 0, 3, &err), -1);
    assert_int_equal(err.offset, CHUNK_BYTES);
}

static void test_own_data_is_written_again(void **state)
{
    struct error err;

    (void)state;
    hold(true);
    memcpy(new + 3 * BLOCK_BYTES, old + 3 * BLOCK_BYTES, 2 * BLOCK_BYTES);
    assert_true(may_write(0, 256, &err));
    new[4 * BLOCK_BYTES + 9] ^= 1;
    assert_false(may_write(0, 256, &err));
    assert_int_equal(err.offset, CHUNK_BYTES + 4 * BLOCK_BYTES);
}

/* What was told as zero, or written by ourselves, has nothing kept of it. */
static void test_zero_chunks_are_free(void **state)
{
    struct chunk_checks checks;
    struct error err;

    (void)state;
    hold(true);
    chunk_checks_start(&checks, &plan, 0);
    assert_int_equal(
        chunk_checks_overwrite(&checks, &plan, 0, new, sizeof(new), &err), 0);
}

static void test_without_sums_all_is_refused(void **state)
{
    static uint8_t leaves[DIGEST_LEAVES_BYTES];
    struct error err;

    (void)state;
    hold(true);
    leaf_cache_close(&plan.leaves);
    memset(&plan.leaves, 0, sizeof(plan.leaves));
    assert_int_equal(leaf_cache_open(&plan.leaves, 16, false, &err), 0);
    assert_true(leaf_cache_put(&plan.leaves, CHUNK, leaves, NULL));
    assert_false(may_write(0, 1, &err));
}

static void test_with_consent_nothing_is_checked(void **state)
{
    struct error err;

    (void)state;
    hold(false);
    assert_true(may_write(0, 256, &err));
    assert_true(may_zero(0, 256));
    assert_int_equal(chunk_checks_zero(&plan, 0, 3, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_of_others_stays),
        cmocka_unit_test(test_own_data_is_written_again),
        cmocka_unit_test(test_zero_chunks_are_free),
        cmocka_unit_test(test_without_sums_all_is_refused),
        cmocka_unit_test(test_with_consent_nothing_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
