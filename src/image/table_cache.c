#include "image/table_cache.h"

#include <stdlib.h>
#include <string.h>

#include "image/qcow2/grow.h"

#define MAX_BYTES (UINT64_C(32) << 20)

struct part {
    uint64_t offset;
    size_t len;
    uint8_t *bytes; /* owned */
};

struct table_cache {
    struct part *parts; /* ascending by offset */
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of all parts */
};

struct table_cache *table_cache_open(void)
{
    return calloc(1, sizeof(struct table_cache));
}

void table_cache_close(struct table_cache *tables)
{
    if (!tables)
        return;
    for (size_t i = 0; i < tables->count; i++)
        free(tables->parts[i].bytes);
    free(tables->parts);
    free(tables);
}

/* Finds the first part at offset or after it. */
static size_t find_part(const struct table_cache *tables, uint64_t offset)
{
    size_t low = 0, high = tables->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tables->parts[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool table_cache_get(const struct table_cache *tables, void *buf, size_t len,
                     uint64_t offset)
{
    size_t i = find_part(tables, offset);

    if (i == tables->count || tables->parts[i].offset != offset ||
        tables->parts[i].len != len)
        return false;
    memcpy(buf, tables->parts[i].bytes, len);
    return true;
}

void table_cache_keep(struct table_cache *tables, const void *buf, size_t len,
                      uint64_t offset)
{
    size_t i = find_part(tables, offset);
    struct part *parts;
    uint8_t *bytes;

    if (tables->bytes + len > MAX_BYTES)
        return;
    parts = grow(tables->parts, tables->count, &tables->capacity,
                 sizeof(*parts));
    if (!parts)
        return;
    tables->parts = parts;
    bytes = malloc(len);
    if (!bytes)
        return;
    memcpy(bytes, buf, len);
    memmove(&tables->parts[i + 1], &tables->parts[i],
            (tables->count - i) * sizeof(*tables->parts));
    tables->parts[i] = (struct part){ offset, len, bytes };
    tables->count++;
    tables->bytes += len;
}
