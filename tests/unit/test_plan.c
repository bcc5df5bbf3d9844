/* Extents, cursor, sets of chunks: the small pure pieces of plan/. */
#include <stdlib.h>

#include "base/iszero.h"
#include "plan/chunk_bitmap.h"
#include "plan/chunk_grid.h"
#include "plan/extent.h"
#include "plan/work_queue.h"
#include "unit.h"

static void test_grid(void **state)
{
    (void)state;
    assert_int_equal(chunk_grid_count(0), 0);
    assert_int_equal(chunk_grid_count(1), 1);
    assert_int_equal(chunk_grid_count(CHUNK_BYTES), 1);
    assert_int_equal(chunk_grid_count(CHUNK_BYTES + 1), 2);
    assert_int_equal(chunk_grid_count(UINT64_MAX), UINT64_C(1) << 44);
    assert_int_equal(chunk_grid_length(CHUNK_BYTES + 1, 0), CHUNK_BYTES);
    assert_int_equal(chunk_grid_length(CHUNK_BYTES + 1, 1), 1);
}

static void test_extents_merge(void **state)
{
    struct extent_list list = { 0 };
    struct error err;

    (void)state;
    assert_int_equal(extent_list_add(&list, 0, 10, EXTENT_DATA, &err), 0);
    assert_int_equal(extent_list_add(&list, 10, 5, EXTENT_DATA, &err), 0);
    assert_int_equal(extent_list_add(&list, 15, 0, EXTENT_ZERO, &err), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(extent_list_add(&list, 15, 5, EXTENT_ZERO, &err), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(extent_list_bytes(&list, EXTENT_DATA), 15);
    assert_int_equal(extent_list_bytes(&list, EXTENT_ZERO), 5);
    extent_list_clear(&list);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(extent_list_add(&list, i * 2, 2,
                                         i % 2 ? EXTENT_ZERO : EXTENT_DATA,
                                         &err),
                         0);
    assert_int_equal(list.count, 1000);
    assert_int_equal(extent_list_bytes(&list, EXTENT_ZERO), 1000);
    extent_list_fini(&list);
    assert_null(list.items);
}

static void test_cursor_hands_out_all_once(void **state)
{
    static const uint64_t sizes[] = { 0, 1, 7, 8, 9, 1000, 100000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (unsigned lanes = 1; lanes <= 4; lanes *= 2) {
            struct work_queue queue;
            struct work_queue_range range;
            uint64_t next = 0, last = UINT64_MAX;

            work_queue_init(&queue, sizes[i], lanes, 1);
            while (work_queue_take(&queue, &range)) {
                assert_int_equal(range.first, next);
                assert_in_range(range.count, 1, 1024);
                assert_true(range.count <= last); /* never grows */
                last = range.count;
                next += range.count;
            }
            assert_int_equal(next, sizes[i]);
        }
    }
}

static void test_cursor_does_not_divide_steps(void **state)
{
    static const uint64_t steps[] = { 2, 24, 192, 5000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct work_queue_range range;
        struct work_queue queue;
        uint64_t next = 0;

        work_queue_init(&queue, 20001, 2, steps[i]);
        while (work_queue_take(&queue, &range)) {
            assert_int_equal(range.first, next);
            assert_int_equal(range.first % steps[i], 0);
            next += range.count;
        }
        assert_int_equal(next, 20001);
    }
}

/* Against a bool for each chunk, with random ranges. */
static void test_chunkset(void **state)
{
    enum {
        CHUNKS = 1000
    };
    bool in[CHUNKS] = { false };
    struct chunk_bitmap set = { 0 };
    struct error err;
    unsigned seed = 20261121;

    (void)state;
    print_message("    seed %u\n", seed);
    assert_int_equal(chunk_bitmap_init(&set, CHUNKS, &err), 0);
    for (int round = 0; round < 3000; round++) {
        uint64_t first = (uint64_t)rand_r(&seed) % CHUNKS;
        uint64_t count = 1 + (uint64_t)rand_r(&seed) % 150, inside = 0;
        bool adds = rand_r(&seed) % 2 == 0;

        if (count > CHUNKS - first)
            count = CHUNKS - first;
        for (uint64_t c = first; c < first + count; c++)
            inside += in[c];
        assert_int_equal(chunk_bitmap_has_all(&set, first, count),
                         inside == count);
        if (adds)
            assert_int_equal(chunk_bitmap_add(&set, first, count), inside == 0);
        else
            chunk_bitmap_remove(&set, first, count);
        for (uint64_t c = first; c < first + count; c++)
            in[c] = adds;
    }
    for (uint64_t c = 0, inside = 0; c < CHUNKS; c++) {
        inside += in[c];
        assert_int_equal(chunk_bitmap_has(&set, c), in[c]);
        if (c + 1 == CHUNKS)
            assert_int_equal(chunk_bitmap_count(&set), inside);
    }
    chunk_bitmap_fini(&set);
}

static void test_chunkset_runs(void **state)
{
    struct chunk_bitmap set = { 0 }, copy = { 0 };
    uint64_t first, count;
    struct error err;

    (void)state;
    assert_int_equal(chunk_bitmap_init(&set, 300, &err), 0);
    assert_int_equal(chunk_bitmap_init(&copy, 300, &err), 0);
    assert_false(chunk_bitmap_next(&set, 0, &first, &count));
    assert_true(chunk_bitmap_add(&set, 3, 1));
    assert_true(chunk_bitmap_add(&set, 60, 140));
    assert_true(chunk_bitmap_add(&set, 299, 1));
    chunk_bitmap_copy(&copy, &set);
    chunk_bitmap_clear(&set);
    assert_int_equal(chunk_bitmap_count(&set), 0);
    assert_false(chunk_bitmap_next(&set, 0, &first, &count));

    assert_int_equal(chunk_bitmap_count(&copy), 142);
    assert_true(chunk_bitmap_next(&copy, 0, &first, &count));
    assert_int_equal(first, 3);
    assert_int_equal(count, 1);
    assert_true(chunk_bitmap_next(&copy, 4, &first, &count));
    assert_int_equal(first, 60);
    assert_int_equal(count, 140);
    assert_true(
        chunk_bitmap_next(&copy, 100, &first, &count)); /* from inside */
    assert_int_equal(first, 100);
    assert_int_equal(count, 100);
    assert_true(chunk_bitmap_next(&copy, 200, &first, &count));
    assert_int_equal(first, 299);
    assert_int_equal(count, 1);
    assert_false(chunk_bitmap_next(&copy, 300, &first, &count));
    chunk_bitmap_fini(&set);
    chunk_bitmap_fini(&copy);
}

static void test_iszero(void **state)
{
    uint8_t buf[1000] = { 0 };

    (void)state;
    for (size_t at = 0; at < sizeof(buf); at++) {
        buf[at] = 0x80;
        assert_false(iszero(buf, sizeof(buf)));
        assert_true(iszero(buf, at));
        assert_true(iszero(buf + at + 1, sizeof(buf) - at - 1));
        buf[at] = 0;
    }
    assert_true(iszero(buf, sizeof(buf)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_extents_merge),
        cmocka_unit_test(test_cursor_hands_out_all_once),
        cmocka_unit_test(test_cursor_does_not_divide_steps),
        cmocka_unit_test(test_chunkset),
        cmocka_unit_test(test_chunkset_runs),
        cmocka_unit_test(test_iszero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
