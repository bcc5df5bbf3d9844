#include "image/vhd/vhd.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "image/block_map/block_image.h"

/* Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, and QEMU,
 * block/vpc.c. */
#define VHD_FOOTER_BYTES    512U
#define VHD_HEADER_BYTES    1024U
#define VHD_VERSION         UINT32_C(0x00010000)
#define VHD_FEATURES        UINT32_C(3) /* temporary, and reserved: always 1 */
#define VHD_TYPE_FIXED      2U
#define VHD_TYPE_DYNAMIC    3U
#define VHD_TYPE_DIFFERENCE 4U
#define VHD_MAX_BYTES       (UINT64_C(2040) << 30)
#define VHD_MAX_GEOMETRY    (UINT64_C(65535) * 16 * 255)
#define VHD_MIN_BLOCK_BYTES (UINT32_C(4) << 10)
#define VHD_MAX_BLOCK_BYTES (UINT32_C(256) << 20)
#define VHD_FREE            UINT32_C(0xffffffff)
#define VHD_SECTOR_BYTES    UINT64_C(512)

struct vhd {
    bool is_fixed;
    uint64_t header_offset;
};

static bool is_vhd_footer(const uint8_t *raw)
{
    return memcmp(raw, "conectix", 8) == 0;
}

/* The complement of the sum of all bytes but those of the checksum. */
static bool is_vhd_sum_right(const uint8_t *raw, size_t len, size_t sum_at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        if (i < sum_at || i >= sum_at + 4)
            sum += raw[i];
    return get_be32(raw + sum_at) == ~sum;
}

/*
 * Virtual PC and old versions of QEMU give their guests the size of the
 * geometry, all others the size in the footer.  A geometry at its limit says
 * nothing.
 */
static uint64_t vhd_virtual_bytes(const uint8_t *footer)
{
    uint64_t sectors = (uint64_t)get_be16(footer + 56) * footer[58] *
                       footer[59];

    if (sectors != VHD_MAX_GEOMETRY && (memcmp(footer + 28, "vpc ", 4) == 0 ||
                                        memcmp(footer + 28, "qemu", 4) == 0))
        return sectors * VHD_SECTOR_BYTES;
    return get_be64(footer + 48) & ~(VHD_SECTOR_BYTES - 1);
}

static int check_vhd_footer(const uint8_t *footer, uint64_t at,
                            struct error *err)
{
    uint32_t features = get_be32(footer + 8), version = get_be32(footer + 12);
    uint32_t type = get_be32(footer + 60);

    if (!is_vhd_sum_right(footer, VHD_FOOTER_BYTES, 64))
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: the checksum of the footer at %" PRIu64
                         " is wrong: damaged image",
                         at);
    if (version != VHD_VERSION || (features & ~VHD_FEATURES) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: version 0x%08" PRIx32
                         " with features 0x%08" PRIx32 " is not supported",
                         version, features);
    if (type == VHD_TYPE_DIFFERENCE)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: a differencing disk, which needs its parent; "
                         "merge them, or convert it with Convert-VHD");
    if (type != VHD_TYPE_FIXED && type != VHD_TYPE_DYNAMIC)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: disk type %" PRIu32 " is not supported", type);
    return 0;
}

/* A dynamic disk has its footer in front and at the end: the one in front
 * counts, as the end may have been lost.  A fixed disk has it at the end. */
static int read_vhd_footer(struct block_map *map, uint8_t *footer,
                           struct error *err)
{
    struct vhd *vhd = map->state;
    uint64_t at = 0;

    if (block_map_read(map, "footer", footer, VHD_FOOTER_BYTES, at, err) < 0)
        return -1;
    if (!is_vhd_footer(footer)) {
        at = map->host.size_bytes - VHD_FOOTER_BYTES;
        if (block_map_read(map, "footer", footer, VHD_FOOTER_BYTES, at, err) <
            0)
            return -1;
    }
    if (!is_vhd_footer(footer))
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: not a VHD image (neither begins nor ends with "
                         "a footer): truncated image?");
    if (check_vhd_footer(footer, at, err) < 0)
        return -1;
    vhd->is_fixed = get_be32(footer + 60) == VHD_TYPE_FIXED;
    if (vhd->is_fixed == (at != 0))
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "vhd: the footer at %" PRIu64
                     " is of a %s disk: damaged image",
                     at, vhd->is_fixed ? "fixed" : "dynamic");
}

/* Is all of the file the disk, but for the footer? */
static int open_vhd_fixed(struct block_map *map, uint64_t current_bytes,
                          struct error *err)
{
    uint64_t size_bytes = map->host.size_bytes - VHD_FOOTER_BYTES;

    if (current_bytes != size_bytes || map->virtual_bytes > size_bytes)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: the footer is of a fixed disk of %" PRIu64
                         " bytes, but %" PRIu64
                         " bytes precede it: truncated image, or a raw disk "
                         "(--format=raw)",
                         current_bytes, size_bytes);
    map->variant = "fixed";
    map->block_bytes = map->virtual_bytes;
    return 0;
}

static int check_vhd_header(const uint8_t *raw, uint64_t at, struct error *err)
{
    uint32_t block_bytes = get_be32(raw + 32);

    if (memcmp(raw, "cxsparse", 8) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: no header of a dynamic disk at %" PRIu64
                         ": damaged image",
                         at);
    if (!is_vhd_sum_right(raw, VHD_HEADER_BYTES, 36))
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: the checksum of the header at %" PRIu64
                         " is wrong: damaged image",
                         at);
    if (get_be32(raw + 24) != VHD_VERSION)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: header version 0x%08" PRIx32 " is not supported",
                         get_be32(raw + 24));
    if (!block_map_is_power_of_2(block_bytes) ||
        block_bytes < VHD_MIN_BLOCK_BYTES || block_bytes > VHD_MAX_BLOCK_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: blocks of %" PRIu32
                         " bytes are not supported, only powers of 2 from "
                         "4 KiB to 256 MiB",
                         block_bytes);
    return 0;
}

static int open_vhd_dynamic(struct block_map *map, uint64_t header_offset,
                            struct error *err)
{
    struct vhd *vhd = map->state;
    struct block_table *table = &map->tables[0];
    uint8_t raw[VHD_HEADER_BYTES];

    vhd->header_offset = header_offset;
    if (block_map_read(map, "header", raw, sizeof(raw), header_offset, err) <
            0 ||
        check_vhd_header(raw, header_offset, err) < 0)
        return -1;
    map->variant = "dynamic";
    map->block_bytes = get_be32(raw + 32);
    /* One bit a sector, in whole sectors, precedes each block. */
    map->lead_bytes = (map->block_bytes / VHD_SECTOR_BYTES / 8 +
                       VHD_SECTOR_BYTES - 1) &
                      ~(VHD_SECTOR_BYTES - 1);
    *table = (struct block_table){
        .offset = get_be64(raw + 16),
        .entries = get_be32(raw + 28),
        .entry_bytes = 4,
    };
    if (table->entries < block_map_blocks(map))
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: a block allocation table of %" PRIu64
                         " entries is too small for a disk of %" PRIu64
                         " bytes: damaged image",
                         table->entries, map->virtual_bytes);
    return block_map_require(map, "block allocation table", table->offset,
                             table->entries * 4, err);
}

static int vhd_open_map(struct block_map *map, struct error *err)
{
    const struct vhd *vhd = map->state;
    uint8_t footer[VHD_FOOTER_BYTES];
    uint64_t current_bytes;

    if (read_vhd_footer(map, footer, err) < 0)
        return -1;
    current_bytes = get_be64(footer + 48);
    map->virtual_bytes = vhd_virtual_bytes(footer);
    if (map->virtual_bytes > VHD_MAX_BYTES || map->virtual_bytes == 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhd: disk size %" PRIu64
                         " is not possible (at most 2040 GiB)",
                         map->virtual_bytes);
    return vhd->is_fixed ? open_vhd_fixed(map, current_bytes, err)
                         : open_vhd_dynamic(map, get_be64(footer + 16), err);
}

/*
 * The bitmap in front of a block is not read: in a dynamic disk a sector that
 * it calls unused was never written, and its bytes are zeros.  QEMU reads
 * them, too.
 */
static int find_vhd_block(struct block_map *map, uint64_t index,
                          struct block *block, struct error *err)
{
    const struct vhd *vhd = map->state;
    const uint8_t *raw;

    block->kind = BLOCK_DATA;
    if (vhd->is_fixed)
        return 0;
    raw = block_map_entry(map, &map->tables[0], index, err);
    if (!raw)
        return -1;
    if (get_be32(raw) == VHD_FREE)
        block->kind = BLOCK_ZERO;
    else
        block->host_offset = get_be32(raw) * VHD_SECTOR_BYTES + map->lead_bytes;
    return 0;
}

static int claim_vhd_tables(struct block_map *map, struct block_usage *usage,
                            struct error *err)
{
    const struct vhd *vhd = map->state;
    const struct block_table *table = &map->tables[0];
    uint64_t end = map->host.size_bytes - VHD_FOOTER_BYTES;
    uint8_t footer[VHD_FOOTER_BYTES];

    if (vhd->is_fixed)
        return 0; /* the disk ends in front of the footer */
    if (block_map_claim(map, usage, "footer", 0, VHD_FOOTER_BYTES, err) < 0 ||
        block_map_claim(map, usage, "header", vhd->header_offset,
                        VHD_HEADER_BYTES, err) < 0 ||
        block_map_claim(map, usage, "block allocation table", table->offset,
                        table->entries * table->entry_bytes, err) < 0 ||
        block_map_read(map, "footer", footer, sizeof(footer), end, err) < 0)
        return -1;
    return is_vhd_footer(footer) ? block_map_claim(map, usage, "footer", end,
                                                   VHD_FOOTER_BYTES, err)
                                 : 0;
}

const struct block_format vhd_format = {
    .name = "vhd",
    .state_bytes = sizeof(struct vhd),
    .open = vhd_open_map,
    .find = find_vhd_block,
    .claim = claim_vhd_tables,
};

int vhd_describe(const struct image_host *host, struct format_header *header,
                 struct error *err)
{
    return block_image_describe(&vhd_format, host, header, err);
}

int vhd_open(struct layer *layer, struct image **img, struct error *err)
{
    return block_image_open(&vhd_format, layer, img, err);
}
