/* Sectors in use, against one byte a sector. */
#include "image/block_map/block_usage.h"
#include "unit.h"

#define SECTOR  BLOCK_USAGE_SECTOR_BYTES
#define SECTORS 100000U /* three pages and a part */

static void test_against_bytes(void **state)
{
    static uint8_t taken[SECTORS];
    struct block_usage *usage = block_usage_open(SECTORS * SECTOR);
    unsigned seed = unit_seed(), overlaps = 0;

    (void)state;
    assert_non_null(usage);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned first = (unsigned)rand_r(&seed) % SECTORS;
        unsigned count = 1 + (unsigned)rand_r(&seed) % 64;
        bool is_free = true;

        if (count > SECTORS - first)
            count = SECTORS - first;
        for (unsigned k = first; k < first + count; k++)
            is_free = is_free && !taken[k];
        if (!is_free && i % 4 != 0)
            continue; /* what is marked then is of no interest */
        if (!is_free) {
            /* An overlap ends the check of an image: look, with one sector. */
            for (unsigned k = first; k < first + count; k++)
                if (taken[k])
                    assert_int_equal(
                        block_usage_claim(usage, k * SECTOR, SECTOR),
                        BLOCK_USAGE_OVERLAP);
            overlaps++;
            continue;
        }
        memset(taken + first, 1, count);
        assert_int_equal(
            block_usage_claim(usage, first * SECTOR, count * SECTOR),
            BLOCK_USAGE_OK);
    }
    assert_true(overlaps > 10);
    assert_true(block_usage_is_complete(usage));
    block_usage_close(usage);
}

static void test_in_order_needs_no_memory(void **state)
{
    const uint64_t gib = UINT64_C(1) << 30, block = UINT64_C(2) << 20;
    struct block_usage *usage = block_usage_open(1024 * gib);

    (void)state;
    assert_non_null(usage);
    /* One sector before each block, as in a VHD. */
    for (uint64_t at = 0; at + block + SECTOR <= 1024 * gib;
         at += block + SECTOR)
        assert_int_equal(block_usage_claim(usage, at, block + SECTOR),
                         BLOCK_USAGE_OK);
    assert_true(block_usage_is_complete(usage));
    assert_int_equal(block_usage_claim(usage, 512 * gib, 1),
                     BLOCK_USAGE_OVERLAP);
    block_usage_close(usage);
}

static void test_parts_of_sectors(void **state)
{
    struct block_usage *usage = block_usage_open(1 << 20);

    (void)state;
    assert_non_null(usage);
    assert_int_equal(block_usage_claim(usage, 1000, 100), BLOCK_USAGE_OK);
    assert_int_equal(block_usage_claim(usage, 512, 1), BLOCK_USAGE_OVERLAP);
    assert_int_equal(block_usage_claim(usage, 1535, 1), BLOCK_USAGE_OVERLAP);
    assert_int_equal(block_usage_claim(usage, 1536, 0), BLOCK_USAGE_OK);
    assert_int_equal(block_usage_claim(usage, 1536, 1), BLOCK_USAGE_OK);
    block_usage_close(usage);
}

static void test_too_scattered(void **state)
{
    struct block_usage *usage = block_usage_open(UINT64_C(1) << 40);
    uint64_t page = UINT64_C(16) << 20;
    uint64_t count = 0;

    (void)state;
    assert_non_null(usage);
    while (block_usage_is_complete(usage) && count < 65536)
        assert_int_equal(block_usage_claim(usage, count++ * page, SECTOR),
                         BLOCK_USAGE_OK);
    assert_in_range(count, 15000, 17000); /* 64 MiB of pages of 4 KiB */
    block_usage_close(usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_bytes),
        cmocka_unit_test(test_in_order_needs_no_memory),
        cmocka_unit_test(test_parts_of_sectors),
        cmocka_unit_test(test_too_scattered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
