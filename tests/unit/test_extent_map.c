/* The drawing of a disk: every byte in its cell, no line too wide. */
#include <stdio.h>
#include <stdlib.h>

#include "clonewire-source/extent_map.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)

static struct extent_map map; /* too large for the stack of a small thread */

static char *print(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    extent_map_print(&map, "disk: raw", out);
    fclose(out);
    return text;
}

static void test_drawing(void **state)
{
    char *text;

    (void)state;
    extent_map_init(&map, 8 * 16 * MIB,
                    EXTENT_MAP_LABEL + 3 + 16); /* 16 cells of 1 MiB */
    assert_int_equal(map.cell_bytes, MIB);
    extent_map_add_data(&map, 0, 2 * MIB);
    extent_map_add_data(&map, 3 * MIB, MIB / 2);
    extent_map_add_data(&map, 20 * MIB + 4096, 8192);
    extent_map_add_data(&map, 127 * MIB, MIB);
    text = print();
    assert_string_equal(text, "disk: raw, 128 MiB\n"
                              "         0 B |##.+............|\n"
                              "      16 MiB |....:...........|\n"
                              "      32 MiB |................|\n"
                              "      48 MiB |................|\n"
                              "      64 MiB |................|\n"
                              "      80 MiB |................|\n"
                              "      96 MiB |................|\n"
                              "     112 MiB |...............#|\n"
                              "data 3.5 MiB in 4 extents, zeros 124.4 MiB\n"
                              "a character is 1 MiB: # data, + half, : little, "
                              ". zeros\n");
    free(text);
}

static void test_sizes_and_widths(void **state)
{
    static const uint64_t sizes[] = { 0,
                                      1,
                                      512,
                                      4096,
                                      4097,
                                      10 * MIB + 512,
                                      UINT64_C(1) << 40,
                                      UINT64_C(1) << 62 };
    static const unsigned widths[] = { 0, 20, 40, 80, 200, 5000 };

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
            uint64_t sum = 0;
            char *text;

            extent_map_init(&map, sizes[s], widths[w]);
            assert_true(map.cells <= map.columns * EXTENT_MAP_ROWS);
            if (sizes[s] > 0)
                extent_map_add_data(&map, 0, sizes[s]);
            for (unsigned i = 0; i < map.cells; i++)
                sum += map.data[i];
            assert_int_equal(sum, sizes[s]);
            text = print();
            for (const char *at = text; (at = strchr(at, '|')); at++)
                assert_true(strcspn(at, "\n") <= map.columns + 2);
            assert_true(widths[w] < 40 ||
                        map.columns + EXTENT_MAP_LABEL + 3 <= widths[w]);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawing),
        cmocka_unit_test(test_sizes_and_widths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
