#include "image/vdi/vdi.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "image/block_map/block_image.h"

/* VirtualBox, src/VBox/Storage/VDICore.h, and QEMU, block/vdi.c. */
#define VDI_HEADER_BYTES    512U
#define VDI_SIGNATURE       UINT32_C(0xbeda107f)
#define VDI_VERSION         UINT32_C(0x00010001)
#define VDI_BLOCK_BYTES     (UINT32_C(1) << 20) /* QEMU takes no other */
#define VDI_MAX_BYTES       (UINT64_C(1) << 50)
#define VDI_BLOCK_FREE      UINT32_C(0xffffffff)
#define VDI_BLOCK_ZERO      UINT32_C(0xfffffffe)
#define VDI_UUID_BYTES      16U
#define VDI_SECTOR_BYTES    UINT64_C(512)
#define VDI_TYPE_DYNAMIC    1U
#define VDI_TYPE_FIXED      2U
#define VDI_TYPE_UNDO       3U
#define VDI_TYPE_DIFFERENCE 4U

struct vdi {
    uint32_t data_offset; /* of block 0 in the file */
    uint32_t allocated;   /* blocks in the file */
};

static int check_vdi_kind(const uint8_t *raw, struct error *err)
{
    uint32_t version = get_le32(raw + 0x44), type = get_le32(raw + 0x4c);

    if (get_le32(raw + 0x40) != VDI_SIGNATURE)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: not a VDI image (wrong signature)");
    if (version != VDI_VERSION)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: version %" PRIu32 ".%" PRIu32
                         " is not supported, only 1.1; convert it with "
                         "VBoxManage clonemedium",
                         version >> 16, version & 0xffff);
    if (type == VDI_TYPE_UNDO || type == VDI_TYPE_DIFFERENCE ||
        !iszero(raw + 0x1a8, 2 * (size_t)VDI_UUID_BYTES))
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: a differencing image, which needs its parent; "
                         "merge them with VBoxManage clonemedium");
    if (type != VDI_TYPE_DYNAMIC && type != VDI_TYPE_FIXED)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: image type %" PRIu32 " is not supported", type);
    return 0;
}

/* Sector and block have one size in every VDI that VirtualBox or QEMU makes. */
static int check_vdi_sizes(const uint8_t *raw, struct error *err)
{
    uint64_t size_bytes = get_le64(raw + 0x170);
    uint32_t sector = get_le32(raw + 0x168), block = get_le32(raw + 0x178);
    uint32_t extra = get_le32(raw + 0x17c), blocks = get_le32(raw + 0x180);

    if (sector != VDI_SECTOR_BYTES || block != VDI_BLOCK_BYTES || extra != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: sectors of %" PRIu32 " bytes and blocks of "
                         "%" PRIu32 " + %" PRIu32 " bytes are not supported, "
                         "only 512 and 1048576 + 0",
                         sector, block, extra);
    if (size_bytes > VDI_MAX_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: disk size %" PRIu64 " is not possible",
                         size_bytes);
    if (blocks != (size_bytes + VDI_BLOCK_BYTES - 1) / VDI_BLOCK_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: a block map of %" PRIu32
                         " entries does not match a disk of %" PRIu64
                         " bytes: damaged image",
                         blocks, size_bytes);
    return 0;
}

static int vdi_open_map(struct block_map *map, struct error *err)
{
    struct vdi *vdi = map->state;
    uint8_t raw[VDI_HEADER_BYTES];
    uint32_t map_offset;

    if (block_map_read(map, "header", raw, sizeof(raw), 0, err) < 0 ||
        check_vdi_kind(raw, err) < 0 || check_vdi_sizes(raw, err) < 0)
        return -1;
    map_offset = get_le32(raw + 0x154);
    vdi->data_offset = get_le32(raw + 0x158);
    vdi->allocated = get_le32(raw + 0x184);
    if (map_offset % VDI_SECTOR_BYTES != 0 ||
        vdi->data_offset % VDI_SECTOR_BYTES != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: the block map at %" PRIu32
                         " or the data at %" PRIu32
                         " is not aligned to a sector: damaged image",
                         map_offset, vdi->data_offset);
    map->variant = get_le32(raw + 0x4c) == VDI_TYPE_FIXED ? "fixed" : "dynamic";
    map->block_bytes = VDI_BLOCK_BYTES;
    map->virtual_bytes = (get_le64(raw + 0x170) + VDI_SECTOR_BYTES - 1) &
                         ~(VDI_SECTOR_BYTES - 1); /* as QEMU */
    map->tables[0] = (struct block_table){
        .offset = map_offset,
        .entries = get_le32(raw + 0x180),
        .entry_bytes = 4,
    };
    return block_map_require(map, "block map", map_offset,
                             map->tables[0].entries * 4, err);
}

static int find_vdi_block(struct block_map *map, uint64_t index,
                          struct block *block, struct error *err)
{
    const struct vdi *vdi = map->state;
    const uint8_t *raw = block_map_entry(map, &map->tables[0], index, err);
    uint32_t entry;

    if (!raw)
        return -1;
    entry = get_le32(raw);
    block->kind = BLOCK_ZERO;
    if (entry == VDI_BLOCK_FREE || entry == VDI_BLOCK_ZERO)
        return 0;
    if (entry >= vdi->allocated)
        return error_set(err, ERROR_FORMAT, 0,
                         "vdi: entry %" PRIu64 " of the block map is %" PRIu32
                         ", but the image has %" PRIu32
                         " blocks: damaged image",
                         index, entry, vdi->allocated);
    block->kind = BLOCK_DATA;
    block->host_offset = vdi->data_offset + (uint64_t)entry * VDI_BLOCK_BYTES;
    return 0;
}

static int claim_vdi_tables(struct block_map *map, struct block_usage *usage,
                            struct error *err)
{
    const struct block_table *table = &map->tables[0];

    if (block_map_claim(map, usage, "header", 0, VDI_HEADER_BYTES, err) < 0)
        return -1;
    return block_map_claim(map, usage, "block map", table->offset,
                           table->entries * table->entry_bytes, err);
}

const struct block_format vdi_format = {
    .name = "vdi",
    .state_bytes = sizeof(struct vdi),
    .open = vdi_open_map,
    .find = find_vdi_block,
    .claim = claim_vdi_tables,
};

int vdi_describe(const struct image_host *host, struct format_header *header,
                 struct error *err)
{
    return block_image_describe(&vdi_format, host, header, err);
}

int vdi_open(struct layer *layer, struct image **img, struct error *err)
{
    return block_image_open(&vdi_format, layer, img, err);
}
