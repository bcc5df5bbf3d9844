#include "clonewire-source/extent_map.h"

#include <inttypes.h>

#include "base/parse.h"

#define BLOCK_BYTES UINT64_C(4096)

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

void extent_map_init(struct extent_map *map, uint64_t disk_bytes,
                     unsigned window_columns)
{
    unsigned frame = EXTENT_MAP_LABEL + 3; /* label, blank, two bars */
    unsigned columns = window_columns > frame + 8 ? window_columns - frame : 8;

    if (columns > EXTENT_MAP_MAX_COLUMNS)
        columns = EXTENT_MAP_MAX_COLUMNS;
    *map = (struct extent_map){ .disk_bytes = disk_bytes, .columns = columns };
    map->cell_bytes = divide_up(disk_bytes,
                                (uint64_t)columns * EXTENT_MAP_ROWS);
    map->cell_bytes = divide_up(map->cell_bytes, BLOCK_BYTES) * BLOCK_BYTES;
    if (map->cell_bytes == 0)
        map->cell_bytes = BLOCK_BYTES; /* an empty disk has no cells */
    map->cells = (unsigned)divide_up(disk_bytes, map->cell_bytes);
}

void extent_map_add_data(struct extent_map *map, uint64_t offset,
                         uint64_t length)
{
    map->extents++;
    map->data_bytes += length;
    while (length > 0) {
        uint64_t left = map->cell_bytes - offset % map->cell_bytes;
        uint64_t part = length < left ? length : left;

        map->data[offset / map->cell_bytes] += part;
        offset += part;
        length -= part;
    }
}

/* Returns the character for the share of data in a cell. */
static char cell_char(const struct extent_map *map, unsigned cell)
{
    uint64_t third = map->cell_bytes / 3;
    uint64_t data = map->data[cell];

    if (data == 0)
        return '.';
    if (data <= third)
        return ':';
    return data <= 2 * third ? '+' : '#';
}

static void print_row(const struct extent_map *map, unsigned first, FILE *out)
{
    char label[32];

    format_bytes(label, sizeof(label), first * map->cell_bytes);
    fprintf(out, "%*s |", (int)EXTENT_MAP_LABEL, label);
    for (unsigned i = first; i < first + map->columns && i < map->cells; i++)
        fputc(cell_char(map, i), out);
    fputs("|\n", out);
}

void extent_map_print(const struct extent_map *map, const char *title,
                      FILE *out)
{
    char disk[32], data[32], zeros[32], cell[32];

    fprintf(out, "%s, %s\n", title,
            format_bytes(disk, sizeof(disk), map->disk_bytes));
    for (unsigned first = 0; first < map->cells; first += map->columns)
        print_row(map, first, out);
    fprintf(
        out, "data %s in %" PRIu64 " extent%s, zeros %s\n",
        format_bytes(data, sizeof(data), map->data_bytes), map->extents,
        map->extents == 1 ? "" : "s",
        format_bytes(zeros, sizeof(zeros), map->disk_bytes - map->data_bytes));
    fprintf(out, "a character is %s: # data, + half, : little, . zeros\n",
            format_bytes(cell, sizeof(cell), map->cell_bytes));
}
