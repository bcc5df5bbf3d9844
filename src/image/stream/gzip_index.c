#include "image/stream/gzip_index.h"

#include <stdlib.h>
#include <string.h>

/* 512 times 32 KiB is 16 MiB; 4 MiB decode in about 15 ms. */
#define MAX_POINTS          512U
#define FIRST_SPACING_BYTES (UINT64_C(4) << 20)

struct gzip_index *gzip_index_open(void)
{
    struct gzip_index *points = calloc(1, sizeof(*points));

    if (!points)
        return NULL;
    points->items = calloc(MAX_POINTS, sizeof(*points->items));
    if (!points->items) {
        free(points);
        return NULL;
    }
    points->spacing_bytes = FIRST_SPACING_BYTES;
    points->items[0].is_member = true;
    points->count = 1;
    return points;
}

void gzip_index_close(struct gzip_index *points)
{
    if (!points)
        return;
    for (size_t i = 0; i < points->count; i++)
        free(points->items[i].history);
    free(points->items);
    free(points);
}

bool gzip_index_wants(const struct gzip_index *points, uint64_t out)
{
    return out - points->items[points->count - 1].out >= points->spacing_bytes;
}

/* Keeps the even ones, and so the first. */
static void thin_out(struct gzip_index *points)
{
    size_t kept = 0;

    for (size_t i = 0; i < points->count; i++) {
        if (i % 2 == 0)
            points->items[kept++] = points->items[i];
        else
            free(points->items[i].history);
    }
    points->count = kept;
    points->spacing_bytes *= 2;
}

bool gzip_index_add(struct gzip_index *points, const struct gzip_point *point)
{
    struct gzip_point copy = *point;

    copy.history = NULL;
    if (point->history_len > 0) {
        copy.history = malloc(point->history_len);
        if (!copy.history)
            return false;
        memcpy(copy.history, point->history, point->history_len);
    }
    if (points->count == MAX_POINTS)
        thin_out(points);
    points->items[points->count++] = copy;
    return true;
}

const struct gzip_point *gzip_index_find(const struct gzip_index *points,
                                         uint64_t out)
{
    size_t low = 0, high = points->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (points->items[middle].out <= out)
            low = middle;
        else
            high = middle;
    }
    return &points->items[low];
}
