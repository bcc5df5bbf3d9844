#include "image/block_map/block_map.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/block_map/block_usage.h"

#define PART_BYTES   (UINT64_C(64) << 10)
#define SECTOR_BYTES UINT64_C(512)

int block_map_open(struct block_map *map, const struct block_format *format,
                   const struct image_host *host, struct error *err)
{
    *map = (struct block_map){ .format = format, .host = *host };
    map->state = calloc(1, format->state_bytes);
    if (!map->state)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "%s: read the header",
                         format->name);
    if (format->open(map, err) < 0) {
        block_map_fini(map);
        return -1;
    }
    assert(map->block_bytes > 0 && map->virtual_bytes % SECTOR_BYTES == 0);
    return 0;
}

void block_map_fini(struct block_map *map)
{
    free(map->tables[0].part);
    free(map->tables[1].part);
    free(map->state);
    *map = (struct block_map){ 0 };
}

int block_map_require(const struct block_map *map, const char *what,
                      uint64_t offset, uint64_t length, struct error *err)
{
    if (image_host_has(&map->host, offset, length))
        return 0;
    return error_set(
        err, ERROR_FORMAT, 0,
        "%s: the %s of %" PRIu64 " bytes at %" PRIu64
        " ends beyond the file (%" PRIu64 " bytes): truncated image?",
        map->format->name, what, length, offset, map->host.size_bytes);
}

int block_map_read(const struct block_map *map, const char *what, void *buf,
                   size_t len, uint64_t offset, struct error *err)
{
    if (block_map_require(map, what, offset, len, err) < 0)
        return -1;
    return image_host_read(&map->host, buf, len, offset, err);
}

const uint8_t *block_map_entry(struct block_map *map, struct block_table *table,
                               uint64_t index, struct error *err)
{
    uint64_t at = index * table->entry_bytes;
    uint64_t begin = at & ~(PART_BYTES - 1);
    uint64_t len = table->entries * table->entry_bytes - begin;

    assert(index < table->entries);
    if (len > PART_BYTES)
        len = PART_BYTES;
    if (!table->part) {
        table->part = malloc(PART_BYTES);
        table->part_bytes = 0;
    }
    if (!table->part) {
        error_set(err, ERROR_SYSTEM, ENOMEM, "%s: read a table",
                  map->format->name);
        return NULL;
    }
    if (table->part_offset != table->offset + begin ||
        table->part_bytes != len) {
        table->part_bytes = 0;
        if (block_map_read(map, "table", table->part, (size_t)len,
                           table->offset + begin, err) < 0)
            return NULL;
        table->part_offset = table->offset + begin;
        table->part_bytes = len;
    }
    return table->part + (at - begin);
}

/* The file must have the bytes of a block that the disk has. */
static int check_block_in_file(const struct block_map *map, uint64_t begin,
                               const struct block *block, struct error *err)
{
    uint64_t needed = map->virtual_bytes - begin;

    if (needed > map->block_bytes)
        needed = map->block_bytes;
    if (block->kind == BLOCK_PACKED)
        needed = 1;
    if (image_host_has(&map->host, block->host_offset, needed))
        return 0;
    return error_set(
        err, ERROR_FORMAT, 0,
        "%s: the block of disk offset %" PRIu64 " at %" PRIu64
        " ends beyond the file (%" PRIu64 " bytes): truncated image?",
        map->format->name, begin, block->host_offset, map->host.size_bytes);
}

/* Finds the run at offset, to the end of its block or of equal zero blocks. */
static int look_up_block(struct block_map *map, uint64_t offset,
                         struct block_run *run, struct error *err)
{
    uint64_t index = offset / map->block_bytes;
    uint64_t begin = index * map->block_bytes;
    uint64_t left = block_map_blocks(map) - index;
    struct block block = { .count = 1 };

    if (map->format->find(map, index, &block, err) < 0)
        return -1;
    if (block.kind != BLOCK_ZERO &&
        check_block_in_file(map, begin, &block, err) < 0)
        return -1;
    *run = (struct block_run){
        .offset = offset,
        .kind = block.kind,
        .host_offset = block.host_offset,
    };
    if (block.kind == BLOCK_DATA)
        run->host_offset += offset - begin;
    if (block.count >= left)
        run->length = map->virtual_bytes - offset;
    else
        run->length = begin + block.count * map->block_bytes - offset;
    return 0;
}

static bool block_run_continues(const struct block_run *run,
                                const struct block_run *next)
{
    if (run->kind != next->kind || run->kind == BLOCK_PACKED)
        return false;
    return run->kind != BLOCK_DATA ||
           run->host_offset + run->length == next->host_offset;
}

int block_map_at(struct block_map *map, uint64_t offset, uint64_t end,
                 struct block_run *run, struct error *err)
{
    struct block_run next = { 0 };

    assert(offset < end && end <= map->virtual_bytes);
    if (look_up_block(map, offset, run, err) < 0)
        return -1;
    while (run->length < end - offset) {
        if (look_up_block(map, offset + run->length, &next, err) < 0)
            return -1;
        if (!block_run_continues(run, &next))
            break;
        run->length += next.length;
    }
    if (run->length > end - offset)
        run->length = end - offset;
    return 0;
}

/* Claims what the file has of [offset, offset+length). */
static enum block_usage_result claim_in_file(const struct block_map *map,
                                             struct block_usage *usage,
                                             uint64_t offset, uint64_t length)
{
    uint64_t size_bytes = map->host.size_bytes;

    if (offset >= size_bytes)
        return BLOCK_USAGE_OK;
    if (length > size_bytes - offset)
        length = size_bytes - offset;
    return block_usage_claim(usage, offset, length);
}

static int refuse_claim(const struct block_map *map,
                        enum block_usage_result result, const char *what,
                        uint64_t offset, struct error *err)
{
    if (result == BLOCK_USAGE_NO_MEMORY)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "%s: look for overlaps",
                         map->format->name);
    return error_set(err, ERROR_FORMAT, 0,
                     "%s: the %s at %" PRIu64
                     " overlaps a block or table: damaged image",
                     map->format->name, what, offset);
}

int block_map_claim(struct block_map *map, struct block_usage *usage,
                    const char *what, uint64_t offset, uint64_t length,
                    struct error *err)
{
    enum block_usage_result r = claim_in_file(map, usage, offset, length);

    return r == BLOCK_USAGE_OK ? 0 : refuse_claim(map, r, what, offset, err);
}

/* Claims all of a block, also what lies beyond the end of the disk.  Of a
 * packed one only the beginning is known; format->unpack() checks the rest. */
static int claim_block(struct block_map *map, struct block_usage *usage,
                       const struct block_run *run, struct error *err)
{
    uint64_t lead_bytes = run->kind == BLOCK_DATA ? map->lead_bytes : 0;
    uint64_t length = run->kind == BLOCK_DATA ? lead_bytes + map->block_bytes
                                              : 1;
    enum block_usage_result r = claim_in_file(
        map, usage, run->host_offset - lead_bytes, length);
    char what[64];

    if (r == BLOCK_USAGE_OK)
        return 0;
    snprintf(what, sizeof(what), "block of disk offset %" PRIu64, run->offset);
    return refuse_claim(map, r, what, run->host_offset, err);
}

static void close_block_usage(struct block_usage **usage)
{
    block_usage_close(*usage);
}

int block_map_check(struct block_map *map, struct block_summary *summary,
                    struct error *err)
{
    AUTO(close_block_usage)
    struct block_usage *usage = block_usage_open(map->host.size_bytes);
    struct block_run run = { 0 };

    *summary = (struct block_summary){ 0 };
    if (!usage)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "%s: look for overlaps",
                         map->format->name);
    if (map->format->claim(map, usage, err) < 0)
        return -1;
    for (uint64_t at = 0; at < map->virtual_bytes; at += run.length) {
        if (look_up_block(map, at, &run, err) < 0)
            return -1;
        if (run.kind != BLOCK_ZERO && claim_block(map, usage, &run, err) < 0)
            return -1;
        if (run.kind == BLOCK_DATA)
            summary->data_bytes += run.length;
        else if (run.kind == BLOCK_PACKED)
            summary->packed_blocks++;
    }
    summary->overlaps_checked = block_usage_is_complete(usage);
    return 0;
}
