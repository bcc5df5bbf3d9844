#include "image/vhdx/vhdx.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "image/block_map/block_image.h"
#include "image/vhdx/vhdx_header.h"

#define BAT_ENTRY_BYTES 8U
#define BAT_STATE       UINT64_C(7)
#define BAT_RESERVED    UINT64_C(0xffff8)
#define CHUNK_SECTORS   (UINT64_C(1) << 23) /* that one bitmap describes */
#define VHDX_HEAD_BYTES (UINT64_C(320) << 10)

enum bat_state {
    BAT_NOT_PRESENT = 0,
    BAT_UNDEFINED = 1,
    BAT_ZERO = 2,
    BAT_UNMAPPED = 3,
    BAT_FULLY_PRESENT = 6,
    BAT_PARTIALLY_PRESENT = 7 /* of differencing disks */
};

struct vhdx {
    struct vhdx_header header;
    uint64_t chunk_blocks; /* blocks between two entries of bitmaps */
};

static int vhdx_open_map(struct block_map *map, struct error *err)
{
    struct vhdx *vhdx = map->state;
    struct vhdx_header *header = &vhdx->header;
    uint64_t blocks, entries;

    if (vhdx_header_read(map, header, err) < 0)
        return -1;
    map->variant = header->is_fixed ? "fixed" : "dynamic";
    map->virtual_bytes = header->virtual_bytes;
    map->block_bytes = header->block_bytes;
    vhdx->chunk_blocks = CHUNK_SECTORS * header->sector_bytes /
                         header->block_bytes;
    blocks = block_map_blocks(map);
    entries = blocks + (blocks - 1) / vhdx->chunk_blocks;
    if (entries > header->bat.length / BAT_ENTRY_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: a block allocation table of %" PRIu64
                         " bytes is too small for a disk of %" PRIu64
                         " bytes: damaged image",
                         header->bat.length, header->virtual_bytes);
    map->tables[0] = (struct block_table){
        .offset = header->bat.offset,
        .entries = entries,
        .entry_bytes = BAT_ENTRY_BYTES,
    };
    return 0;
}

static int find_vhdx_block(struct block_map *map, uint64_t index,
                           struct block *block, struct error *err)
{
    const struct vhdx *vhdx = map->state;
    const uint8_t *raw = block_map_entry(
        map, &map->tables[0], index + index / vhdx->chunk_blocks, err);
    uint64_t entry;

    if (!raw)
        return -1;
    entry = get_le64(raw);
    block->kind = BLOCK_ZERO;
    if ((entry & BAT_RESERVED) == 0)
        switch ((enum bat_state)(entry & BAT_STATE)) {
        case BAT_NOT_PRESENT:
        case BAT_UNDEFINED:
        case BAT_ZERO:
        case BAT_UNMAPPED: return 0;
        case BAT_FULLY_PRESENT:
            block->kind = BLOCK_DATA;
            block->host_offset = entry & ~(BAT_STATE | BAT_RESERVED);
            return 0;
        case BAT_PARTIALLY_PRESENT: break;
        }
    return error_set(err, ERROR_FORMAT, 0,
                     "vhdx: the entry of disk offset %" PRIu64 " (0x%016" PRIx64
                     ") is not valid: damaged image",
                     index * map->block_bytes, entry);
}

/* Only differencing disks have bitmaps. */
static int refuse_vhdx_bitmaps(struct block_map *map, struct error *err)
{
    const struct vhdx *vhdx = map->state;
    uint64_t step = vhdx->chunk_blocks + 1;

    for (uint64_t i = step - 1; i < map->tables[0].entries; i += step) {
        const uint8_t *raw = block_map_entry(map, &map->tables[0], i, err);

        if (!raw)
            return -1;
        if ((get_le64(raw) & (BAT_STATE | BAT_RESERVED)) != 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "vhdx: entry %" PRIu64
                             " of the block allocation table has a bitmap, as "
                             "in a differencing disk: damaged image",
                             i);
    }
    return 0;
}

static int claim_vhdx_tables(struct block_map *map, struct block_usage *usage,
                             struct error *err)
{
    const struct vhdx *vhdx = map->state;
    const struct vhdx_header *header = &vhdx->header;

    if (block_map_claim(map, usage, "header", 0, VHDX_HEAD_BYTES, err) < 0 ||
        block_map_claim(map, usage, "log", header->log.offset,
                        header->log.length, err) < 0 ||
        block_map_claim(map, usage, "metadata", header->metadata.offset,
                        header->metadata.length, err) < 0 ||
        block_map_claim(map, usage, "block allocation table",
                        header->bat.offset, header->bat.length, err) < 0)
        return -1;
    return refuse_vhdx_bitmaps(map, err);
}

const struct block_format vhdx_format = {
    .name = "vhdx",
    .state_bytes = sizeof(struct vhdx),
    .open = vhdx_open_map,
    .find = find_vhdx_block,
    .claim = claim_vhdx_tables,
};

int vhdx_describe(const struct image_host *host, struct format_header *header,
                  struct error *err)
{
    return block_image_describe(&vhdx_format, host, header, err);
}

int vhdx_open(struct layer *layer, struct image **img, struct error *err)
{
    return block_image_open(&vhdx_format, layer, img, err);
}
