/*
 * extent_map.h - --map: data and zeros of a disk, as a drawing that fits the
 * window or as a list of extents.
 */
#ifndef CW_CLONEWIRE_SOURCE_EXTENT_MAP_H
#define CW_CLONEWIRE_SOURCE_EXTENT_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define EXTENT_MAP_ROWS        8U
#define EXTENT_MAP_MAX_COLUMNS 512U
#define EXTENT_MAP_LABEL       12U /* columns of a row's label: its offset */

/* Each character of the drawing stands for cell_bytes of the disk. */
struct extent_map {
    uint64_t disk_bytes;
    uint64_t cell_bytes;
    uint64_t extents; /* of data */
    uint64_t data_bytes;
    unsigned columns; /* of cells */
    unsigned cells;
    uint64_t
        data[EXTENT_MAP_ROWS * EXTENT_MAP_MAX_COLUMNS]; /* bytes in each cell */
};

/* Starts a drawing of a disk for a window of that width. */
void extent_map_init(struct extent_map *map, uint64_t disk_bytes,
                     unsigned window_columns);

/* Adds data at [offset, offset+length), inside the disk. */
void extent_map_add_data(struct extent_map *map, uint64_t offset,
                         uint64_t length);

/* Prints the drawing.  title: "disk.qcow2: qcow2". */
void extent_map_print(const struct extent_map *map, const char *title,
                      FILE *out);

#endif
