#include <stdlib.h>

#include "plan/chunk_grid.h"
#include "record/digest.h"
#include "unit.h"

#define MIB  ((size_t)1 << 20)
#define DISK (3 * MIB + 70000) /* a last chunk of two leaves, one short */

static uint8_t *disk;

static int make_disk(void **state)
{
    (void)state;
    disk = calloc(1, DISK);
    for (size_t i = MIB + 5; i < 2 * MIB; i += 7)
        disk[i] = (uint8_t)i;
    disk[DISK - 1] = 1;
    return disk ? 0 : -1;
}

static int drop_disk(void **state)
{
    (void)state;
    free(disk);
    return 0;
}

static void root_of(enum digest_algorithm algorithm, const uint8_t *data,
                    size_t len, bool backwards, bool skip_zero,
                    uint8_t root[DIGEST_ROOT_BYTES])
{
    struct digest *d;
    struct error err;
    uint64_t chunks = chunk_grid_count(len);

    assert_int_equal(digest_open(algorithm, len, &d, &err), 0);
    for (uint64_t n = 0; n < chunks; n++) {
        uint64_t i = backwards ? chunks - 1 - n : n;

        if (skip_zero && (i == 0 || i == 2))
            continue; /* chunks of make_disk() that are all zero */
        digest_add(d, i, data + i * MIB, (size_t)chunk_grid_length(len, i));
    }
    digest_root(d, root);
    digest_close(d);
}

static void test_order_and_holes_do_not_matter(void **state)
{
    static const enum digest_algorithm both[] = { DIGEST_XXH3_128,
                                                  DIGEST_SHA256 };
    uint8_t a[DIGEST_ROOT_BYTES], b[DIGEST_ROOT_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        CASE(digest_name(both[i]));
        root_of(both[i], disk, DISK, false, false, a);
        root_of(both[i], disk, DISK, true, true, b);
        assert_memory_equal(a, b, sizeof(a));
    }
}

static void test_every_change_shows(void **state)
{
    static const size_t at[] = { 0, MIB - 1, MIB, 2 * MIB + 65536, DISK - 1 };
    uint8_t a[DIGEST_ROOT_BYTES], b[DIGEST_ROOT_BYTES];

    (void)state;
    root_of(DIGEST_XXH3_128, disk, DISK, false, false, a);
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        disk[at[i]] ^= 0x40;
        root_of(DIGEST_XXH3_128, disk, DISK, false, false, b);
        assert_memory_not_equal(a, b, sizeof(a));
        disk[at[i]] ^= 0x40;
    }
    root_of(DIGEST_XXH3_128, disk, DISK - 1, false, false, b);
    assert_memory_not_equal(a, b, sizeof(a)); /* the size counts */
    root_of(DIGEST_SHA256, disk, DISK, false, false, b);
    assert_memory_not_equal(a, b, sizeof(a)); /* the algorithm counts */
}

static void test_a_leaf_cannot_move(void **state)
{
    uint8_t a[DIGEST_ROOT_BYTES], b[DIGEST_ROOT_BYTES];
    uint8_t *two = calloc(2, MIB);

    (void)state;
    two[0] = 1;
    root_of(DIGEST_XXH3_128, two, 2 * MIB, false, false, a);
    two[0] = 0;
    two[LEAF_BYTES] = 1;
    root_of(DIGEST_XXH3_128, two, 2 * MIB, false, false, b);
    assert_memory_not_equal(a, b, sizeof(a));
    free(two);
}

/* docs/protocol.md gives these two; peers depend on them. */
static void test_golden(void **state)
{
    uint8_t root[DIGEST_ROOT_BYTES];
    char text[DIGEST_TEXT_BYTES];

    (void)state;
    root_of(DIGEST_XXH3_128, disk, 0, false, false, root);
    assert_string_equal(digest_format(DIGEST_XXH3_128, root, text),
                        "xxh3-128:2127bf72d24e9d502f3f06937264488d"
                        "408ce273c7deb80882519422a3491159");
    root_of(DIGEST_SHA256, disk, DISK, false, false, root);
    assert_string_equal(digest_format(DIGEST_SHA256, root, text),
                        "sha256:e6e73ad54588b369d351f76d4fa281ae"
                        "1093dd9859bf3d2df4a9011aca1995b0");
}

/* They travel: another version has to find the same ones. */
static void test_sums_of_grains(void **state)
{
    static const uint8_t want[2][DIGEST_SUM_BYTES] = {
        /* clang-format off */
        { 0x93, 0xd7, 0x6f, 0xe1, 0x48, 0xc6 },
        { 0xc4, 0x4b, 0xdf, 0xf4, 0x07, 0x4e },
        /* clang-format on */
    };
    static uint8_t data[DIGEST_GRAIN_BYTES + 1];
    uint8_t sums[sizeof(want) + 1] = { [sizeof(want)] = 77 };

    (void)state;
    digest_sums(data, sizeof(data), sums);
    assert_memory_equal(sums, want, sizeof(want));
    assert_int_equal(sums[sizeof(want)], 77);
}

/* Of a chunk and of the short one behind it: some leaves from elsewhere. */
static void test_leaves_make_the_chunk(void **state)
{
    const uint64_t size = MIB + 3 * LEAF_BYTES + 100;
    uint8_t leaves[DIGEST_LEAVES_BYTES], other[DIGEST_LEAVES_BYTES];
    struct digest *whole, *parts;
    struct error err;

    (void)state;
    assert_int_equal(digest_open(DIGEST_XXH3_128, size, &whole, &err), 0);
    assert_int_equal(digest_open(DIGEST_XXH3_128, size, &parts, &err), 0);
    for (uint64_t i = 0; i < 2; i++) {
        size_t len = i == 0 ? MIB : (size_t)(size - MIB);
        unsigned keep = 0x5; /* the first and the third */

        digest_add(whole, i, disk + i * MIB, len);
        memset(other, 0xee, sizeof(other));
        digest_leaves(parts, disk + i * MIB, len, 0, 0, leaves);
        digest_leaves(parts, disk + i * MIB, len, keep, 0, other);
        assert_int_equal(other[0], 0xee);
        for (unsigned leaf = 0; leaf < CHUNK_LEAVES; leaf++)
            if (keep & (1U << leaf))
                memcpy(other + leaf * 16, leaves + leaf * 16, 16);
        digest_add_leaves(parts, i, other);
        assert_true(digest_agrees(whole, parts, i));
        other[16] ^= 1;
        digest_add_leaves(parts, i, other);
        assert_false(digest_agrees(whole, parts, i));
    }
    digest_close(whole);
    digest_close(parts);
}

static void test_a_chunk_can_become_zero(void **state)
{
    uint8_t a[DIGEST_ROOT_BYTES], b[DIGEST_ROOT_BYTES];
    struct digest *d;
    struct error err;

    (void)state;
    assert_int_equal(digest_open(DIGEST_XXH3_128, 2 * MIB, &d, &err), 0);
    digest_root(d, a);
    digest_add(d, 1, disk + MIB, MIB);
    digest_root(d, b);
    assert_memory_not_equal(a, b, sizeof(a));
    digest_add_zero(d, 1);
    digest_root(d, b);
    assert_memory_equal(a, b, sizeof(a));
    digest_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_holes_do_not_matter),
        cmocka_unit_test(test_every_change_shows),
        cmocka_unit_test(test_a_leaf_cannot_move),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_leaves_make_the_chunk),
        cmocka_unit_test(test_sums_of_grains),
        cmocka_unit_test(test_a_chunk_can_become_zero),
    };

    return cmocka_run_group_tests(tests, make_disk, drop_disk);
}
