#include "image/qcow2/map.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"

#define WINDOW_BYTES (UINT64_C(64) << 10)
#define SECTOR_BYTES UINT64_C(512)

#define OFFSET_MASK    UINT64_C(0x00fffffffffffe00)
#define L1_RESERVED    UINT64_C(0x7f000000000001ff)
#define L2_RESERVED    UINT64_C(0x3f000000000001fe)
#define L2_ZERO        (UINT64_C(1) << 0) /* version 3, no subclusters */
#define L2_COMPRESSED  (UINT64_C(1) << 62)
#define L1_ENTRY_BYTES 8U

int qcow2_map_init(struct qcow2_map *map, const struct image_host *host,
                   const struct qcow2_header *header, struct error *err)
{
    *map = (struct qcow2_map){ .host = *host, .header = *header };
    map->l1.bytes = malloc(WINDOW_BYTES);
    map->l2.bytes = malloc(WINDOW_BYTES);
    if (map->l1.bytes && map->l2.bytes)
        return 0;
    qcow2_map_fini(map);
    return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: read the tables");
}

void qcow2_map_fini(struct qcow2_map *map)
{
    free(map->l1.bytes);
    free(map->l2.bytes);
    map->l1.bytes = NULL;
    map->l2.bytes = NULL;
}

/* The entry at byte `at` of a table of table_bytes at host offset table.  All
 * of it must be inside the file. */
static const uint8_t *table_entry(const struct qcow2_map *map,
                                  struct qcow2_window *window, uint64_t table,
                                  uint64_t table_bytes, uint64_t at,
                                  struct error *err)
{
    uint64_t part = at & ~(WINDOW_BYTES - 1);
    uint64_t len = table_bytes - part;

    if (len > WINDOW_BYTES)
        len = WINDOW_BYTES;
    if (window->host_offset != table + part || window->len != len) {
        window->host_offset = 0;
        if (map->host.read(map->host.opaque, window->bytes, (size_t)len,
                           table + part, err) < 0)
            return NULL;
        window->host_offset = table + part;
        window->len = len;
    }
    return window->bytes + (at - part);
}

int qcow2_map_l2_table(struct qcow2_map *map, uint32_t index,
                       uint64_t *host_offset, struct error *err)
{
    const struct qcow2_header *header = &map->header;
    uint64_t l1_bytes = (uint64_t)header->l1_entries * L1_ENTRY_BYTES;
    const uint8_t *raw;
    uint64_t entry;

    assert(index < header->l1_entries);
    raw = table_entry(map, &map->l1, header->l1_offset, l1_bytes,
                      (uint64_t)index * L1_ENTRY_BYTES, err);
    if (!raw)
        return -1;
    entry = get_be64(raw);
    *host_offset = entry & OFFSET_MASK;
    if (entry & L1_RESERVED)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L1 entry %" PRIu32 " (0x%016" PRIx64
                         ") has reserved bits set",
                         index, entry);
    if (*host_offset == 0)
        return 0;
    if (*host_offset % header->cluster_bytes != 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L2 table %" PRIu32 " at %" PRIu64
                         " is not aligned to a cluster",
                         index, *host_offset);
    if (*host_offset >= map->host.size_bytes ||
        header->cluster_bytes > map->host.size_bytes - *host_offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L2 table %" PRIu32 " at %" PRIu64
                         " ends beyond the file (%" PRIu64
                         " bytes): truncated image?",
                         index, *host_offset, map->host.size_bytes);
    return 0;
}

/* An L2 entry and its cluster, while it is parsed. */
struct entry {
    uint64_t cluster; /* disk offset where its cluster begins */
    uint64_t bytes;   /* of the cluster that are inside the disk */
    uint64_t value;
    uint64_t bitmap; /* extended L2: zero bits above allocated bits */
};

static int refuse_entry(const struct entry *entry, const char *why,
                        struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: the entry of disk offset %" PRIu64
                     " (0x%016" PRIx64 ") %s",
                     entry->cluster, entry->value, why);
}

/*
 * The file must contain the data of an entry up to byte `end` of the cluster.
 */
static int check_in_file(const struct qcow2_map *map, const struct entry *entry,
                         uint64_t end, struct error *err)
{
    uint64_t host_offset = entry->value & OFFSET_MASK;
    uint64_t size_bytes = map->host.size_bytes;

    if (host_offset < size_bytes && end <= size_bytes - host_offset)
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: the cluster of disk offset %" PRIu64 " at %" PRIu64
                     " ends beyond the file (%" PRIu64
                     " bytes): truncated image?",
                     entry->cluster, host_offset, size_bytes);
}

/* Cuts run down to [from, to) of the entry's cluster, offset inside it. */
static void set_run(struct qcow2_run *run, const struct entry *entry,
                    uint64_t offset, uint64_t to, enum qcow2_kind kind)
{
    *run = (struct qcow2_run){
        .offset = offset,
        .length = entry->cluster + to - offset,
        .kind = kind,
    };
}

static int read_compressed(const struct qcow2_map *map,
                           const struct entry *entry, uint64_t offset,
                           struct qcow2_run *run, struct error *err)
{
    /* Bits 0 to shift-1 are the offset, from there to 61 the sectors. */
    unsigned shift = 62 - (map->header.cluster_bits - 8);
    uint64_t host_offset = entry->value & ((UINT64_C(1) << shift) - 1);
    uint64_t sectors = (entry->value & (L2_COMPRESSED - 1)) >> shift;
    uint64_t bytes = (sectors + 1) * SECTOR_BYTES - host_offset % SECTOR_BYTES;

    if (entry->bitmap != 0)
        return refuse_entry(entry, "is compressed and has subclusters", err);
    if (host_offset < map->header.header_bytes)
        return refuse_entry(entry, "points into the header", err);
    if (host_offset >= map->host.size_bytes)
        return refuse_entry(
            entry, "points beyond the end of the file: truncated image?", err);
    /* The last sector may be cut off: only the end of the deflate data
     * matters. */
    if (bytes > map->host.size_bytes - host_offset)
        bytes = map->host.size_bytes - host_offset;

    set_run(run, entry, offset, entry->bytes, QCOW2_COMPRESSED);
    run->host_offset = host_offset;
    run->packed_bytes = (uint32_t)bytes;
    return 0;
}

static int read_plain(const struct qcow2_map *map, const struct entry *entry,
                      uint64_t offset, struct qcow2_run *run, struct error *err)
{
    uint64_t host_offset = entry->value & OFFSET_MASK;

    if (entry->value & L2_ZERO) {
        if (map->header.version < 3)
            return refuse_entry(entry, "has a reserved bit set", err);
        set_run(run, entry, offset, entry->bytes, QCOW2_ZERO);
        return 0;
    }
    if (host_offset == 0) {
        set_run(run, entry, offset, entry->bytes, QCOW2_UNALLOCATED);
        return 0;
    }
    set_run(run, entry, offset, entry->bytes, QCOW2_DATA);
    run->host_offset = host_offset + (offset - entry->cluster);
    return check_in_file(map, entry, entry->bytes, err);
}

static int subcluster_kind(const struct entry *entry, unsigned index,
                           enum qcow2_kind *kind, struct error *err)
{
    bool is_allocated = entry->bitmap >> index & 1;
    bool is_zero = entry->bitmap >> (index + 32) & 1;

    if (is_allocated && is_zero)
        return refuse_entry(entry, "has a subcluster both data and zero", err);
    if (is_allocated && (entry->value & OFFSET_MASK) == 0)
        return refuse_entry(entry, "has a subcluster of data nowhere", err);
    *kind = is_allocated ? QCOW2_DATA
            : is_zero    ? QCOW2_ZERO
                         : QCOW2_UNALLOCATED;
    return 0;
}

static int read_subclusters(const struct qcow2_map *map,
                            const struct entry *entry, uint64_t offset,
                            struct qcow2_run *run, struct error *err)
{
    uint64_t piece = map->header.cluster_bytes / map->header.subclusters;
    unsigned index = (unsigned)((offset - entry->cluster) / piece);
    enum qcow2_kind kind = QCOW2_UNALLOCATED;
    enum qcow2_kind next = QCOW2_UNALLOCATED;
    uint64_t to;

    if (entry->value & L2_ZERO)
        return refuse_entry(entry, "has a reserved bit set", err);
    if (subcluster_kind(entry, index, &kind, err) < 0)
        return -1;
    for (index++; index < map->header.subclusters; index++) {
        if (subcluster_kind(entry, index, &next, err) < 0)
            return -1;
        if (next != kind)
            break;
    }
    to = index * piece;
    if (to > entry->bytes)
        to = entry->bytes;

    set_run(run, entry, offset, to, kind);
    if (kind != QCOW2_DATA)
        return 0;
    run->host_offset = (entry->value & OFFSET_MASK) + (offset - entry->cluster);
    return check_in_file(map, entry, to, err);
}

static int read_entry(struct qcow2_map *map, uint64_t l2_table,
                      uint64_t l2_index, struct entry *entry, struct error *err)
{
    uint32_t entry_bytes = qcow2_l2_entry_bytes(&map->header);
    const uint8_t *raw = table_entry(map, &map->l2, l2_table,
                                     map->header.cluster_bytes,
                                     l2_index * entry_bytes, err);

    if (!raw)
        return -1;
    entry->value = get_be64(raw);
    entry->bitmap = entry_bytes == 16 ? get_be64(raw + 8) : 0;
    return 0;
}

/* Finds the run at offset within its own L2 entry; end: of the disk. */
static int look_up(struct qcow2_map *map, uint64_t offset,
                   struct qcow2_run *run, struct error *err)
{
    const struct qcow2_header *header = &map->header;
    uint64_t cluster = offset >> header->cluster_bits;
    uint64_t l1_index = cluster / header->l2_entries;
    struct entry entry = { .cluster = cluster << header->cluster_bits };
    uint64_t l2_table;

    if (qcow2_map_l2_table(map, (uint32_t)l1_index, &l2_table, err) < 0)
        return -1;
    entry.bytes = header->virtual_bytes - entry.cluster;
    if (l2_table == 0) {
        uint64_t reach = header->cluster_bytes * header->l2_entries;
        uint64_t left = (l1_index + 1) * reach - entry.cluster;

        set_run(run, &entry, offset, entry.bytes < left ? entry.bytes : left,
                QCOW2_UNALLOCATED);
        return 0;
    }
    if (entry.bytes > header->cluster_bytes)
        entry.bytes = header->cluster_bytes;
    if (read_entry(map, l2_table, cluster % header->l2_entries, &entry, err) <
        0)
        return -1;
    if (entry.value & L2_COMPRESSED)
        return read_compressed(map, &entry, offset, run, err);
    if (entry.value & L2_RESERVED)
        return refuse_entry(&entry, "has reserved bits set", err);
    if ((entry.value & OFFSET_MASK) % header->cluster_bytes != 0)
        return refuse_entry(&entry, "is not aligned to a cluster", err);
    if (header->subclusters > 1)
        return read_subclusters(map, &entry, offset, run, err);
    return read_plain(map, &entry, offset, run, err);
}

static bool continues(const struct qcow2_run *run, const struct qcow2_run *next)
{
    if (run->kind != next->kind || run->kind == QCOW2_COMPRESSED)
        return false;
    return run->kind != QCOW2_DATA ||
           run->host_offset + run->length == next->host_offset;
}

int qcow2_map_at(struct qcow2_map *map, uint64_t offset, uint64_t end,
                 struct qcow2_run *run, struct error *err)
{
    struct qcow2_run *next = &map->ahead;

    assert(offset < end && end <= map->header.virtual_bytes);
    if (next->length > 0 && next->offset == offset)
        *run = *next;
    else if (look_up(map, offset, run, err) < 0)
        return -1;
    next->length = 0;
    while (run->length < end - offset) {
        if (look_up(map, offset + run->length, next, err) < 0) {
            next->length = 0;
            return -1;
        }
        if (!continues(run, next))
            break;
        run->length += next->length;
    }
    if (run->length > end - offset)
        run->length = end - offset;
    return 0;
}
