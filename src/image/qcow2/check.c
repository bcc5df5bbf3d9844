#include "image/qcow2/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "plan/chunk_grid.h"

#define MAX_BITS     (UINT64_C(1) << 28) /* 32 MiB each of the two bitmaps */
#define WORD_BITS    64U
#define PACKED_SHARE 4U

/* The users of each host cluster.  Compressed clusters may share one. */
struct usage {
    const struct qcow2_map *map;
    uint64_t *whole;  /* owned; one user only */
    uint64_t *packed; /* owned; holds compressed bytes */
    uint64_t clusters;
    uint64_t packed_bytes; /* of all compressed clusters so far */
};

static void usage_fini(struct usage *usage)
{
    free(usage->whole);
    free(usage->packed);
}

static int usage_init(struct usage *usage, const struct qcow2_map *map,
                      struct error *err)
{
    uint64_t clusters = (map->host.size_bytes >> map->header.cluster_bits) + 1;
    size_t words = (size_t)(clusters / WORD_BITS + 1);

    *usage = (struct usage){ .map = map };
    if (clusters > MAX_BITS)
        return 0;
    usage->clusters = clusters;
    usage->whole = calloc(words, sizeof(*usage->whole));
    usage->packed = calloc(words, sizeof(*usage->packed));
    if (!usage->whole || !usage->packed)
        return error_set(err, ERROR_SYSTEM, ENOMEM,
                         "qcow2: check %" PRIu64 " clusters", clusters);
    return 0;
}

static bool bit_get(const uint64_t *bits, uint64_t i)
{
    return bits[i / WORD_BITS] >> (i % WORD_BITS) & 1;
}

static void bit_set(uint64_t *bits, uint64_t i)
{
    bits[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
}

/* Claims the host clusters of [offset, offset+length) for one user. */
static int claim(struct usage *usage, uint64_t offset, uint64_t length,
                 bool is_packed, struct error *err)
{
    unsigned shift = usage->map->header.cluster_bits;
    uint64_t last = (offset + length - 1) >> shift;

    if (usage->clusters == 0)
        return 0;
    for (uint64_t i = offset >> shift; i <= last; i++) {
        if (bit_get(usage->whole, i) ||
            (!is_packed && bit_get(usage->packed, i)))
            return error_set(err, ERROR_FORMAT, 0,
                             "qcow2: the host cluster at %" PRIu64
                             " is used twice: corrupt image",
                             i << shift);
        bit_set(is_packed ? usage->packed : usage->whole, i);
    }
    return 0;
}

static int claim_tables(struct usage *usage, struct qcow2_map *map,
                        struct error *err)
{
    const struct qcow2_header *header = &map->header;
    uint64_t l1_bytes = (uint64_t)header->l1_entries * 8;
    uint64_t reach = header->cluster_bytes * header->l2_entries;
    uint64_t l2_table;

    if (claim(usage, 0, header->header_bytes, false, err) < 0)
        return -1;
    if (l1_bytes > 0 &&
        claim(usage, header->l1_offset, l1_bytes, false, err) < 0)
        return -1;
    for (uint32_t i = 0; (uint64_t)i * reach < header->virtual_bytes; i++) {
        if (qcow2_map_l2_table(map, i, &l2_table, err) < 0)
            return -1;
        if (l2_table != 0 &&
            claim(usage, l2_table, header->cluster_bytes, false, err) < 0)
            return -1;
    }
    return 0;
}

/* With subclusters, one host cluster has several runs.  *claimed is the end,
 * in disk offsets, of the claims of the earlier runs. */
static int claim_data(struct usage *usage, const struct qcow2_run *run,
                      uint64_t *claimed, struct error *err)
{
    uint64_t cluster_bytes = usage->map->header.cluster_bytes;
    uint64_t skip = *claimed > run->offset ? *claimed - run->offset : 0;

    if (skip >= run->length)
        return 0;
    *claimed = (run->offset + run->length + cluster_bytes - 1) &
               ~(cluster_bytes - 1);
    return claim(usage, run->host_offset + skip, run->length - skip, false,
                 err);
}

/*
 * Each compressed cluster has bytes of its own, but its entry counts whole
 * sectors.  Where all of them have several times the bytes of the file, they
 * are the same bytes under many entries, decoded again for each.
 */
static int count_packed(struct usage *usage, const struct qcow2_run *run,
                        struct error *err)
{
    uint32_t slack = (uint32_t)SECTOR_BYTES - 1;

    usage->packed_bytes += run->packed_bytes > slack ? run->packed_bytes - slack
                                                     : 1;
    if (usage->packed_bytes / PACKED_SHARE <= usage->map->host.size_bytes)
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: the compressed clusters up to disk offset %" PRIu64
                     " need more than %u times the bytes of the file: corrupt "
                     "image",
                     run->offset, PACKED_SHARE);
}

static int claim_run(struct usage *usage, const struct qcow2_run *run,
                     uint64_t *claimed, struct qcow2_summary *summary,
                     struct error *err)
{
    switch (run->kind) {
    case QCOW2_UNALLOCATED: summary->unallocated_bytes += run->length; break;
    case QCOW2_ZERO: break;
    case QCOW2_DATA:
        summary->data_bytes += run->length;
        return claim_data(usage, run, claimed, err);
    case QCOW2_COMPRESSED:
        summary->compressed_clusters++;
        if (count_packed(usage, run, err) < 0)
            return -1;
        return claim(usage, run->host_offset, run->packed_bytes, true, err);
    }
    return 0;
}

int qcow2_check(struct qcow2_map *map, struct qcow2_summary *summary,
                struct error *err)
{
    AUTO(usage_fini) struct usage usage;
    uint64_t end = map->header.virtual_bytes;
    uint64_t claimed = 0;
    struct qcow2_run run;

    *summary = (struct qcow2_summary){ 0 };
    if (usage_init(&usage, map, err) < 0)
        return -1;
    summary->overlaps_checked = usage.clusters > 0;
    if (claim_tables(&usage, map, err) < 0)
        return -1;
    for (uint64_t at = 0; at < end; at += run.length) {
        if (qcow2_map_at(map, at, end, &run, err) < 0 ||
            claim_run(&usage, &run, &claimed, summary, err) < 0)
            return -1;
    }
    return 0;
}
