#include "image/vmdk/vmdk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/block_map/block_image.h"
#include "image/inflate.h"
#include "image/probe.h"
#include "image/vmdk/vmdk_descriptor.h"

/* VMware, "Virtual Disk Format 5.0", and QEMU, block/vmdk.c.
 * A grain is a block of VMDK; a directory entry leads to a table of 512. */
#define VMDK_MAGIC                UINT32_C(0x564d444b)
#define VMDK_HEADER_BYTES         512U
#define VMDK_MAX_VERSION          3U
#define VMDK_SECTOR_BYTES         UINT64_C(512)
#define VMDK_TABLE_ENTRIES        512U
#define VMDK_TABLE_BYTES          (VMDK_TABLE_ENTRIES * 4U)
#define VMDK_MIN_GRAIN_SECTORS    8U
#define VMDK_MAX_GRAIN_SECTORS    4096U
#define VMDK_MAX_SECTORS          (UINT64_C(1) << 40) /* 512 TiB */
#define VMDK_MAX_DESCRIPTOR_BYTES (UINT64_C(64) << 10)
#define VMDK_DIRECTORY_AT_END     UINT64_MAX
#define VMDK_FOOTER_MARKER        3U
#define VMDK_MARKER_BYTES         12U
#define VMDK_DEFLATE              1U
#define VMDK_ZERO_ENTRY           1U

#define VMDK_HAS_NEWLINES   UINT32_C(0x1)
#define VMDK_HAS_COPY       UINT32_C(0x2) /* of directory and tables */
#define VMDK_HAS_ZERO_ENTRY UINT32_C(0x4)
#define VMDK_COMPRESSED     UINT32_C(0x10000)
#define VMDK_HAS_MARKERS    UINT32_C(0x20000)
#define VMDK_KNOWN_FLAGS                                       \
    (VMDK_HAS_NEWLINES | VMDK_HAS_COPY | VMDK_HAS_ZERO_ENTRY | \
     VMDK_COMPRESSED | VMDK_HAS_MARKERS)

struct vmdk {
    uint32_t flags;
    uint64_t directory_copy; /* 0: there is none */
    uint64_t descriptor_offset;
    uint64_t descriptor_bytes;
    bool has_footer;
    uint8_t copy[VMDK_TABLE_BYTES]; /* of the table that is being compared */
};

/* Offsets count sectors; a host of 2^63 bytes has none beyond. */
static uint64_t vmdk_bytes(uint64_t sectors)
{
    return sectors > INT64_MAX / VMDK_SECTOR_BYTES
               ? INT64_MAX
               : sectors * VMDK_SECTOR_BYTES;
}

static int check_vmdk_flags(const uint8_t *raw, struct error *err)
{
    uint32_t version = get_le32(raw + 4), flags = get_le32(raw + 8);
    bool is_compressed = (flags & VMDK_COMPRESSED) != 0;

    if (get_le32(raw) != VMDK_MAGIC)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: not a sparse VMDK in one file (wrong magic)");
    if (version < 1 || version > VMDK_MAX_VERSION ||
        (flags & ~VMDK_KNOWN_FLAGS) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: version %" PRIu32 " with flags 0x%" PRIx32
                         " is not supported; " PROBE_SERVE("vmdk"),
                         version, flags);
    if ((flags & VMDK_HAS_NEWLINES) && memcmp(raw + 73, "\n \r\n", 4) != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: line ends were changed, as by a transfer in "
                         "text mode: damaged image");
    if (is_compressed != ((flags & VMDK_HAS_MARKERS) != 0) ||
        get_le16(raw + 77) != (is_compressed ? VMDK_DEFLATE : 0))
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: compression %u with flags 0x%" PRIx32
                         " is not supported",
                         get_le16(raw + 77), flags);
    return 0;
}

static int check_vmdk_sizes(const uint8_t *raw, struct error *err)
{
    uint64_t sectors = get_le64(raw + 12), grain = get_le64(raw + 20);

    if (sectors > VMDK_MAX_SECTORS)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: a disk of %" PRIu64 " sectors is not possible",
                         sectors);
    if (!block_map_is_power_of_2(grain) || grain < VMDK_MIN_GRAIN_SECTORS ||
        grain > VMDK_MAX_GRAIN_SECTORS ||
        get_le32(raw + 44) != VMDK_TABLE_ENTRIES)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: grains of %" PRIu64
                         " sectors in tables of %" PRIu32
                         " are not supported, only powers of 2 from 8 to 4096 "
                         "in tables of 512",
                         grain, get_le32(raw + 44));
    return 0;
}

static int check_vmdk_descriptor(struct block_map *map, const uint8_t *raw,
                                 struct error *err)
{
    struct vmdk *vmdk = map->state;
    struct vmdk_descriptor found;
    AUTO_FREE char *text = NULL;

    vmdk->descriptor_offset = vmdk_bytes(get_le64(raw + 28));
    vmdk->descriptor_bytes = vmdk_bytes(get_le64(raw + 36));
    if (vmdk->descriptor_offset == 0 || vmdk->descriptor_bytes == 0 ||
        vmdk->descriptor_bytes > VMDK_MAX_DESCRIPTOR_BYTES)
        return error_set(
            err, ERROR_FORMAT, 0,
            "vmdk: has no descriptor: one part of a disk in "
            "several files, which is not supported; " PROBE_SERVE("vmdk"));
    text = calloc(1, (size_t)vmdk->descriptor_bytes + 1);
    if (!text)
        return error_set(err, ERROR_SYSTEM, ENOMEM,
                         "vmdk: read the descriptor");
    if (block_map_read(map, "descriptor", text, (size_t)vmdk->descriptor_bytes,
                       vmdk->descriptor_offset, err) < 0 ||
        vmdk_descriptor_parse(text, &found, err) < 0)
        return -1;
    map->variant = found.type;
    /* VirtualBox rounds the disk up to whole grains in the header; QEMU reads
     * it so. */
    if (found.extent_sectors <= get_le64(raw + 12) &&
        get_le64(raw + 12) - found.extent_sectors < get_le64(raw + 20))
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "vmdk: the header says %" PRIu64
                     " sectors, the descriptor %" PRIu64 ": damaged image",
                     get_le64(raw + 12), found.extent_sectors);
}

/*
 * An image that was written in one pass has the place of its directory in a
 * footer: a marker, the header again, and the end marker, in 3 sectors.  Puts
 * that header into raw.
 */
static int find_vmdk_directory(struct block_map *map, uint8_t *raw,
                               struct error *err)
{
    struct vmdk *vmdk = map->state;
    uint64_t end = map->host.size_bytes & ~(VMDK_SECTOR_BYTES - 1);
    uint8_t tail[3 * VMDK_SECTOR_BYTES];
    const uint8_t *footer = tail + VMDK_SECTOR_BYTES;

    if (get_le64(raw + 56) != VMDK_DIRECTORY_AT_END)
        return 0;
    vmdk->has_footer = true;
    if (block_map_read(map, "footer", tail, sizeof(tail), end - sizeof(tail),
                       err) < 0)
        return -1;
    if (get_le32(tail + 12) != VMDK_FOOTER_MARKER ||
        get_le32(footer) != VMDK_MAGIC || memcmp(footer, raw, 48) != 0 ||
        get_le32(footer + VMDK_SECTOR_BYTES + 12) != 0 ||
        get_le64(footer + 56) == VMDK_DIRECTORY_AT_END)
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: has no footer that matches the header: "
                         "truncated image?");
    memcpy(raw, footer, VMDK_HEADER_BYTES);
    return 0;
}

static int vmdk_open_map(struct block_map *map, struct error *err)
{
    struct vmdk *vmdk = map->state;
    uint8_t raw[VMDK_HEADER_BYTES];
    uint64_t table_bytes;

    if (block_map_read(map, "header", raw, sizeof(raw), 0, err) < 0 ||
        check_vmdk_flags(raw, err) < 0 || check_vmdk_sizes(raw, err) < 0 ||
        check_vmdk_descriptor(map, raw, err) < 0 ||
        find_vmdk_directory(map, raw, err) < 0)
        return -1;
    vmdk->flags = get_le32(raw + 8);
    map->virtual_bytes = get_le64(raw + 12) * VMDK_SECTOR_BYTES;
    map->block_bytes = get_le64(raw + 20) * VMDK_SECTOR_BYTES;
    table_bytes = map->block_bytes * VMDK_TABLE_ENTRIES;
    map->tables[0] = (struct block_table){
        .offset = vmdk_bytes(get_le64(raw + 56)),
        .entries = (map->virtual_bytes + table_bytes - 1) / table_bytes,
        .entry_bytes = 4,
    };
    map->tables[1].entries = VMDK_TABLE_ENTRIES;
    map->tables[1].entry_bytes = 4;
    if (vmdk->flags & VMDK_HAS_COPY)
        vmdk->directory_copy = vmdk_bytes(get_le64(raw + 48));
    if (vmdk->directory_copy == map->tables[0].offset)
        vmdk->directory_copy = 0;
    return block_map_require(map, "grain directory", map->tables[0].offset,
                             map->tables[0].entries * 4, err);
}

static int find_vmdk_grain(struct block_map *map, uint64_t index,
                           struct block *block, struct error *err)
{
    const struct vmdk *vmdk = map->state;
    uint64_t in_table = index % VMDK_TABLE_ENTRIES;
    const uint8_t *raw = block_map_entry(map, &map->tables[0],
                                         index / VMDK_TABLE_ENTRIES, err);
    uint32_t entry;

    if (!raw)
        return -1;
    block->kind = BLOCK_ZERO;
    map->tables[1].offset = get_le32(raw) * VMDK_SECTOR_BYTES;
    if (map->tables[1].offset == 0) {
        block->count = VMDK_TABLE_ENTRIES - in_table;
        return 0;
    }
    raw = block_map_entry(map, &map->tables[1], in_table, err);
    if (!raw)
        return -1;
    entry = get_le32(raw);
    if (entry == 0 ||
        (entry == VMDK_ZERO_ENTRY && (vmdk->flags & VMDK_HAS_ZERO_ENTRY)))
        return 0;
    block->kind = vmdk->flags & VMDK_COMPRESSED ? BLOCK_PACKED : BLOCK_DATA;
    block->host_offset = entry * VMDK_SECTOR_BYTES;
    return 0;
}

/* Compares one table with its copy, where the image keeps one. */
static int check_vmdk_copy(struct block_map *map, uint64_t number,
                           uint64_t table, uint64_t copy, struct error *err)
{
    struct vmdk *vmdk = map->state;

    map->tables[1].offset = table;
    for (unsigned i = 0; i < VMDK_TABLE_ENTRIES && copy != 0; i++) {
        const uint8_t *raw;

        if (i == 0 && block_map_read(map, "copy of a grain table", vmdk->copy,
                                     VMDK_TABLE_BYTES, copy, err) < 0)
            return -1;
        raw = block_map_entry(map, &map->tables[1], i, err);
        if (!raw)
            return -1;
        if (memcmp(raw, vmdk->copy + (size_t)i * 4, 4) != 0)
            return error_set(err, ERROR_FORMAT, 0,
                             "vmdk: grain table %" PRIu64 " at %" PRIu64
                             " and its copy at %" PRIu64
                             " differ in entry %u: damaged image; repair a "
                             "copy of it with vmware-vdiskmanager -R",
                             number, table, copy, i);
    }
    return 0;
}

/* Claims the tables of a directory, and those of its copy. */
static int claim_vmdk_grain_tables(struct block_map *map,
                                   struct block_usage *usage,
                                   struct block_table *copies,
                                   struct error *err)
{
    for (uint64_t i = 0; i < map->tables[0].entries; i++) {
        const uint8_t *raw = block_map_entry(map, &map->tables[0], i, err);
        uint64_t table = raw ? get_le32(raw) * VMDK_SECTOR_BYTES : 0;
        uint64_t copy = 0;

        if (raw && copies->offset != 0) {
            raw = block_map_entry(map, copies, i, err);
            copy = raw ? get_le32(raw) * VMDK_SECTOR_BYTES : 0;
        }
        if (!raw ||
            block_map_claim(map, usage, "grain table", table,
                            table == 0 ? 0 : VMDK_TABLE_BYTES, err) < 0 ||
            block_map_claim(map, usage, "copy of a grain table", copy,
                            copy == 0 ? 0 : VMDK_TABLE_BYTES, err) < 0)
            return -1;
        if (copies->offset != 0 && (table == 0) != (copy == 0))
            return error_set(err, ERROR_FORMAT, 0,
                             "vmdk: only one of the two copies of grain table "
                             "%" PRIu64 " exists: damaged image",
                             i);
        if (table != 0 && check_vmdk_copy(map, i, table, copy, err) < 0)
            return -1;
    }
    return 0;
}

static int claim_vmdk_tables(struct block_map *map, struct block_usage *usage,
                             struct error *err)
{
    const struct vmdk *vmdk = map->state;
    uint64_t end = map->host.size_bytes & ~(VMDK_SECTOR_BYTES - 1);
    struct block_table copies = map->tables[0];
    uint64_t bytes = copies.entries * copies.entry_bytes;
    int r;

    copies.part = NULL;
    copies.offset = vmdk->directory_copy;
    if (block_map_claim(map, usage, "header", 0, VMDK_HEADER_BYTES, err) < 0 ||
        block_map_claim(map, usage, "descriptor", vmdk->descriptor_offset,
                        vmdk->descriptor_bytes, err) < 0 ||
        block_map_claim(map, usage, "grain directory", map->tables[0].offset,
                        bytes, err) < 0 ||
        block_map_claim(map, usage, "copy of the grain directory",
                        copies.offset, copies.offset == 0 ? 0 : bytes,
                        err) < 0 ||
        block_map_claim(map, usage, "footer", end - 3 * VMDK_SECTOR_BYTES,
                        vmdk->has_footer ? 3 * VMDK_SECTOR_BYTES : 0, err) < 0)
        return -1;
    r = claim_vmdk_grain_tables(map, usage, &copies, err);
    free(copies.part);
    return r;
}

/* A compressed grain: its number in sectors, a length, and a zlib stream,
 * which has a checksum. */
static int unpack_vmdk_grain(struct block_map *map, const struct block_run *run,
                             uint8_t *scratch, uint8_t *out, size_t len,
                             struct error *err)
{
    uint64_t begin = run->offset / map->block_bytes * map->block_bytes;
    struct inflater *inflater;
    uint8_t marker[VMDK_MARKER_BYTES];
    uint32_t bytes;
    bool ok;

    if (block_map_read(map, "marker", marker, sizeof(marker), run->host_offset,
                       err) < 0)
        return -1;
    bytes = get_le32(marker + 8);
    if (get_le64(marker) != begin / VMDK_SECTOR_BYTES || bytes == 0 ||
        bytes > 2 * map->block_bytes)
        return error_set_at(
            err, ERROR_FORMAT, 0, begin,
            "vmdk: the grain at %" PRIu64 " (sector %" PRIu64 ", %" PRIu32
            " bytes) is not that of disk offset %" PRIu64 ": damaged image",
            run->host_offset, get_le64(marker), bytes, begin);
    if (block_map_read(map, "compressed grain", scratch, bytes,
                       run->host_offset + sizeof(marker), err) < 0)
        return -1;
    inflater = inflater_open();
    if (!inflater)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "vmdk: unpack a grain");
    ok = inflate_zlib(inflater, scratch, bytes, out, len,
                      (size_t)map->block_bytes);
    inflater_close(inflater);
    if (ok)
        return 0;
    return error_set_at(err, ERROR_FORMAT, 0, begin,
                        "vmdk: the compressed grain of disk offset %" PRIu64
                        " at %" PRIu64
                        " does not unpack: damaged or truncated image",
                        begin, run->host_offset);
}

const struct block_format vmdk_format = {
    .name = "vmdk",
    .state_bytes = sizeof(struct vmdk),
    .open = vmdk_open_map,
    .find = find_vmdk_grain,
    .claim = claim_vmdk_tables,
    .unpack = unpack_vmdk_grain,
};

int vmdk_describe(const struct image_host *host, struct format_header *header,
                  struct error *err)
{
    return block_image_describe(&vmdk_format, host, header, err);
}

int vmdk_open(struct layer *layer, struct image **img, struct error *err)
{
    return block_image_open(&vmdk_format, layer, img, err);
}
