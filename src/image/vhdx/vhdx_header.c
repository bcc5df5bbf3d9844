#include "image/vhdx/vhdx_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "wire/crc32c.h"

/* Microsoft, [MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format. */
#define VHDX_HEADER_BYTES  4096U
#define VHDX_TABLE_BYTES   (UINT32_C(64) << 10)
#define VHDX_MAX_ENTRIES   2047U
#define VHDX_GUID_BYTES    16U
#define VHDX_MIB           (UINT64_C(1) << 20)
#define VHDX_MAX_BLOCK     (UINT32_C(256) << 20)
#define VHDX_MAX_BYTES     (UINT64_C(64) << 40)
#define VHDX_REQUIRED      UINT32_C(1) /* of a region */
#define VHDX_ITEM_USER     UINT32_C(1)
#define VHDX_ITEM_REQUIRED UINT32_C(4)
#define VHDX_KEEPS_BLOCKS  UINT32_C(1)
#define VHDX_HAS_PARENT    UINT32_C(2)

static const uint64_t vhdx_header_at[2] = { UINT64_C(64) << 10, UINT64_C(128)
                                                                    << 10 };
static const uint64_t vhdx_regions_at[2] = { UINT64_C(192) << 10, UINT64_C(256)
                                                                      << 10 };

/* GUIDs as they are stored. */
#define VHDX_BAT \
    "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"
#define VHDX_METADATA \
    "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
#define VHDX_FILE \
    "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
#define VHDX_SIZE \
    "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
#define VHDX_ID \
    "\xab\x12\xca\xbe\xe6\xb2\x23\x45\x93\xef\xc3\x09\xe0\x00\xc7\x46"
#define VHDX_SECTOR \
    "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"
#define VHDX_PHYSICAL \
    "\xc7\x48\xa3\xcd\x5d\x44\x71\x44\x9c\xc9\xe9\x88\x52\x51\xc5\x56"
#define VHDX_PARENT \
    "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"

/* The checksum of a structure stands at byte 4 and counts as zero in it. */
static bool is_vhdx_structure(const uint8_t *raw, size_t len, const char *magic)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32c(0, raw, 4);

    crc = crc32c(crc, zeros, sizeof(zeros));
    crc = crc32c(crc, raw + 8, len - 8);
    return memcmp(raw, magic, 4) == 0 && get_le32(raw + 4) == crc;
}

/* Of two valid headers, the one with the higher sequence number counts. */
static int choose_vhdx_header(const struct block_map *map, uint8_t *chosen,
                              struct error *err)
{
    uint8_t other[VHDX_HEADER_BYTES];
    bool is_valid, other_is_valid;

    if (block_map_read(map, "header", chosen, VHDX_HEADER_BYTES,
                       vhdx_header_at[0], err) < 0 ||
        block_map_read(map, "header", other, sizeof(other), vhdx_header_at[1],
                       err) < 0)
        return -1;
    is_valid = is_vhdx_structure(chosen, VHDX_HEADER_BYTES, "head");
    other_is_valid = is_vhdx_structure(other, sizeof(other), "head");
    if (!is_valid && !other_is_valid)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: the checksums of both headers are wrong: "
                         "damaged image");
    if (is_valid && other_is_valid &&
        get_le64(chosen + 8) == get_le64(other + 8) &&
        memcmp(chosen, other, sizeof(other)) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: two different headers have the sequence "
                         "number %" PRIu64 ": damaged image",
                         get_le64(other + 8));
    if (!is_valid ||
        (other_is_valid && get_le64(other + 8) > get_le64(chosen + 8)))
        memcpy(chosen, other, sizeof(other));
    return 0;
}

static int read_vhdx_header(const struct block_map *map,
                            struct vhdx_header *header, struct error *err)
{
    static const uint8_t no_guid[VHDX_GUID_BYTES];
    uint8_t raw[VHDX_HEADER_BYTES];
    uint16_t log_version, version;

    if (choose_vhdx_header(map, raw, err) < 0)
        return -1;
    log_version = get_le16(raw + 64);
    version = get_le16(raw + 66);
    if (version != 1 || log_version != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: version %u with log version %u is not "
                         "supported",
                         version, log_version);
    if (memcmp(raw + 48, no_guid, sizeof(no_guid)) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: was not closed cleanly, its log has to be "
                         "replayed: attach it once read-write, or run "
                         "qemu-img check -r all on a copy");
    header->log.length = get_le32(raw + 68);
    header->log.offset = get_le64(raw + 72);
    return block_map_require(map, "log", header->log.offset, header->log.length,
                             err);
}

static int take_vhdx_region(const struct block_map *map, const uint8_t *entry,
                            struct vhdx_header *header, struct error *err)
{
    struct vhdx_range range = { get_le64(entry + 16), get_le32(entry + 24) };
    struct vhdx_range *wanted = NULL;

    if (memcmp(entry, VHDX_BAT, VHDX_GUID_BYTES) == 0)
        wanted = &header->bat;
    else if (memcmp(entry, VHDX_METADATA, VHDX_GUID_BYTES) == 0)
        wanted = &header->metadata;
    if (!wanted && !(get_le32(entry + 28) & VHDX_REQUIRED))
        return 0;
    if (!wanted)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: an unknown region at %" PRIu64
                         " is required, which is not supported",
                         range.offset);
    if (wanted->length != 0 || range.length == 0 || range.offset < VHDX_MIB ||
        range.offset % VHDX_MIB != 0 || range.length % VHDX_MIB != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: the region of %" PRIu64 " bytes at %" PRIu64
                         " is there twice or not aligned to 1 MiB: damaged "
                         "image",
                         range.length, range.offset);
    *wanted = range;
    return block_map_require(map, "region", range.offset, range.length, err);
}

/* Either of two equal copies will do. */
static int read_vhdx_regions(const struct block_map *map, uint8_t *raw,
                             struct vhdx_header *header, struct error *err)
{
    bool is_valid = false;
    uint32_t count;

    for (int i = 0; i < 2 && !is_valid; i++) {
        if (block_map_read(map, "region table", raw, VHDX_TABLE_BYTES,
                           vhdx_regions_at[i], err) < 0)
            return -1;
        is_valid = is_vhdx_structure(raw, VHDX_TABLE_BYTES, "regi");
    }
    if (!is_valid)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: the checksums of both region tables are "
                         "wrong: damaged image");
    count = get_le32(raw + 8);
    if (count > VHDX_MAX_ENTRIES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: a region table of %" PRIu32
                         " entries is not possible (at most %u)",
                         count, VHDX_MAX_ENTRIES);
    for (uint32_t i = 0; i < count; i++)
        if (take_vhdx_region(map, raw + 16 + (size_t)i * 32, header, err) < 0)
            return -1;
    if (header->bat.length > 0 && header->metadata.length > 0)
        return 0;
    return error_set(
        err, ERROR_FORMAT, 0, "vhdx: the region table has no %s: damaged image",
        header->bat.length > 0 ? "metadata" : "block allocation table");
}

enum vhdx_item {
    VHDX_ITEM_FILE,
    VHDX_ITEM_SIZE,
    VHDX_ITEM_SECTOR,
    VHDX_ITEM_PHYSICAL,
    VHDX_ITEM_ID,
    VHDX_ITEM_PARENT,
    VHDX_ITEMS
};

static const struct {
    const char *guid, *name;
    uint32_t bytes; /* 0: any number */
    bool is_needed;
} vhdx_items[VHDX_ITEMS] = {
    [VHDX_ITEM_FILE] = { VHDX_FILE, "file parameters", 8, true },
    [VHDX_ITEM_SIZE] = { VHDX_SIZE, "disk size", 8, true },
    [VHDX_ITEM_SECTOR] = { VHDX_SECTOR, "logical sector size", 4, true },
    [VHDX_ITEM_PHYSICAL] = { VHDX_PHYSICAL, "physical sector size", 4, false },
    [VHDX_ITEM_ID] = { VHDX_ID, "disk id", 16, false },
    [VHDX_ITEM_PARENT] = { VHDX_PARENT, "parent locator", 0, false },
};

/* Reads an item into values, if it is one that we need. */
static int take_vhdx_item(const struct block_map *map, const uint8_t *entry,
                          const struct vhdx_range *metadata,
                          uint64_t values[VHDX_ITEMS], bool has[VHDX_ITEMS],
                          struct error *err)
{
    uint32_t offset = get_le32(entry + 16), length = get_le32(entry + 20);
    uint32_t bits = get_le32(entry + 24);
    uint8_t raw[8] = { 0 };
    unsigned i = 0;

    while (i < VHDX_ITEMS &&
           ((bits & VHDX_ITEM_USER) != 0 ||
            memcmp(entry, vhdx_items[i].guid, VHDX_GUID_BYTES) != 0))
        i++;
    if (i == VHDX_ITEMS && (bits & VHDX_ITEM_REQUIRED) == 0)
        return 0;
    if (i == VHDX_ITEMS)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: an unknown metadata item at %" PRIu32
                         " is required, which is not supported",
                         offset);
    if (has[i] || (vhdx_items[i].bytes > 0 && vhdx_items[i].bytes != length) ||
        offset < VHDX_TABLE_BYTES || offset > metadata->length ||
        length > metadata->length - offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: the metadata item \"%s\" (%" PRIu32
                         " bytes at %" PRIu32 ") is not valid: damaged image",
                         vhdx_items[i].name, length, offset);
    has[i] = true;
    if (!vhdx_items[i].is_needed)
        return 0;
    if (block_map_read(map, "metadata", raw, length, metadata->offset + offset,
                       err) < 0)
        return -1;
    values[i] = get_le64(raw);
    return 0;
}

static int check_vhdx_values(struct vhdx_header *header, bool has_parent,
                             struct error *err)
{
    if (has_parent)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: a differencing disk, which needs its parent; "
                         "merge them with Merge-VHD");
    if (!block_map_is_power_of_2(header->block_bytes) ||
        header->block_bytes < VHDX_MIB || header->block_bytes > VHDX_MAX_BLOCK)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: blocks of %" PRIu32
                         " bytes are not possible, only powers of 2 from "
                         "1 MiB to 256 MiB",
                         header->block_bytes);
    if (header->sector_bytes != 512 && header->sector_bytes != 4096)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: sectors of %" PRIu32
                         " bytes are not possible, only 512 and 4096",
                         header->sector_bytes);
    if (header->virtual_bytes == 0 || header->virtual_bytes > VHDX_MAX_BYTES ||
        header->virtual_bytes % header->sector_bytes != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: disk size %" PRIu64
                         " is not possible (whole sectors, at most 64 TiB)",
                         header->virtual_bytes);
    return 0;
}

static int read_vhdx_metadata(const struct block_map *map, uint8_t *raw,
                              struct vhdx_header *header, struct error *err)
{
    uint64_t values[VHDX_ITEMS] = { 0 };
    bool has[VHDX_ITEMS] = { false };
    uint32_t count;

    if (block_map_read(map, "metadata table", raw, VHDX_TABLE_BYTES,
                       header->metadata.offset, err) < 0)
        return -1;
    count = get_le16(raw + 10);
    if (memcmp(raw, "metadata", 8) != 0 || count > VHDX_MAX_ENTRIES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: no metadata table at %" PRIu64
                         ": damaged image",
                         header->metadata.offset);
    for (uint32_t i = 0; i < count; i++)
        if (take_vhdx_item(map, raw + 32 + (size_t)i * 32, &header->metadata,
                           values, has, err) < 0)
            return -1;
    for (unsigned i = 0; i < VHDX_ITEMS; i++)
        if (vhdx_items[i].is_needed && !has[i])
            return error_set(err, ERROR_FORMAT, 0,
                             "vhdx: the metadata has no \"%s\": damaged image",
                             vhdx_items[i].name);
    header->block_bytes = (uint32_t)values[VHDX_ITEM_FILE];
    header->is_fixed = values[VHDX_ITEM_FILE] >> 32 & VHDX_KEEPS_BLOCKS;
    header->virtual_bytes = values[VHDX_ITEM_SIZE];
    header->sector_bytes = (uint32_t)values[VHDX_ITEM_SECTOR];
    return check_vhdx_values(
        header,
        has[VHDX_ITEM_PARENT] ||
            (values[VHDX_ITEM_FILE] >> 32 & VHDX_HAS_PARENT) != 0,
        err);
}

int vhdx_header_read(const struct block_map *map, struct vhdx_header *header,
                     struct error *err)
{
    AUTO_FREE uint8_t *table = malloc(VHDX_TABLE_BYTES);
    uint8_t magic[8];

    *header = (struct vhdx_header){ 0 };
    if (!table)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "vhdx: read the header");
    if (block_map_read(map, "file identifier", magic, sizeof(magic), 0, err) <
        0)
        return -1;
    if (memcmp(magic, "vhdxfile", sizeof(magic)) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vhdx: not a VHDX image (wrong signature)");
    if (read_vhdx_header(map, header, err) < 0 ||
        read_vhdx_regions(map, table, header, err) < 0)
        return -1;
    return read_vhdx_metadata(map, table, header, err);
}
