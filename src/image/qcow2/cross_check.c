#include "image/qcow2/cross_check.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "image/qcow2/compressed.h"
#include "image/qcow2/libqcow.h"

/* libqcow keeps every cluster that it reads, and its L2 table. */
#define MAX_LIBQCOW_BYTES (UINT64_C(32) << 20)

struct second {
    struct qcow2_map *map;
    const struct image_host *host;
    struct qcow2_libqcow *libqcow; /* owned, as is everything below */
    struct qcow2_compressed *packed;
    uint8_t *ours;
    uint8_t *theirs;
};

static void second_fini(struct second *second)
{
    qcow2_libqcow_close(second->libqcow);
    qcow2_compressed_close(second->packed);
    free(second->ours);
    free(second->theirs);
}

static int second_init(struct second *second, struct error *err)
{
    size_t len = (size_t)second->map->header.cluster_bytes;

    second->libqcow = qcow2_libqcow_open(second->host);
    if (!second->libqcow)
        return error_set(
            err, ERROR_FORMAT, 0,
            "qcow2: valid by our checks, but libqcow does not open it");
    second->packed = qcow2_compressed_open(&second->map->header);
    second->ours = malloc(len);
    second->theirs = malloc(len);
    if (second->packed && second->ours && second->theirs)
        return 0;
    return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: compare clusters");
}

/* run: one whole cluster of data, compressed or not. */
static int compare(struct second *second, const struct qcow2_run *run,
                   struct error *err)
{
    const struct image_host *host = second->host;
    size_t len = (size_t)run->length;
    int r;

    assert(second->ours && second->theirs);
    if (run->kind == QCOW2_COMPRESSED)
        r = qcow2_compressed_read(second->packed, host, run, second->ours, err);
    else
        r = host->read(host->opaque, second->ours, len, run->host_offset, err);
    if (r < 0)
        return -1;
    if (!qcow2_libqcow_read(second->libqcow, second->theirs, len, run->offset))
        return error_set_at(err, ERROR_FORMAT, 0, run->offset,
                            "qcow2: libqcow does not read the cluster of disk "
                            "offset %" PRIu64,
                            run->offset);
    if (memcmp(second->ours, second->theirs, len) == 0)
        return 0;
    return error_set_at(err, ERROR_FORMAT, 0, run->offset,
                        "qcow2: libqcow reads the cluster of disk offset "
                        "%" PRIu64 " differently",
                        run->offset);
}

/* Cuts run to its first whole cluster.  False: it has none. */
static bool first_whole(const struct qcow2_map *map, struct qcow2_run *run)
{
    uint64_t len = map->header.cluster_bytes;

    if (run->length < len)
        return false; /* the disk's last cluster, cut short */
    run->length = len;
    return true;
}

/* Compares one cluster in every step bytes of data.  Returns how many. */
static int walk(struct second *second, uint64_t step, struct error *err)
{
    uint64_t end = second->map->header.virtual_bytes;
    uint64_t skip = step / 2;
    int compared = 0;
    struct qcow2_run run;

    for (uint64_t at = 0; at < end; at += run.length) {
        if (qcow2_map_at(second->map, at, end, &run, err) < 0)
            return -1;
        if (run.kind == QCOW2_ZERO || run.kind == QCOW2_UNALLOCATED)
            continue;
        if (run.length <= skip) {
            skip -= run.length;
            continue;
        }
        if (skip >= second->map->header.cluster_bytes) {
            run.length = skip & ~(second->map->header.cluster_bytes - 1);
            skip -= run.length;
            continue;
        }
        if (!first_whole(second->map, &run))
            continue;
        if (compare(second, &run, err) < 0)
            return -1;
        compared++;
        skip = step;
    }
    return compared;
}

int qcow2_cross_check_look(struct qcow2_map *map, const struct image_host *host,
                           const struct qcow2_summary *summary,
                           unsigned samples, const char *path,
                           struct error *err)
{
    uint64_t cluster_bytes = map->header.cluster_bytes;
    uint64_t data_bytes = summary->data_bytes +
                          summary->compressed_clusters * cluster_bytes;
    struct second second = { .map = map, .host = host };
    char why[128];
    int r;

    if (samples > MAX_LIBQCOW_BYTES / cluster_bytes)
        samples = (unsigned)(MAX_LIBQCOW_BYTES / cluster_bytes);
    if (samples == 0 || data_bytes == 0)
        return 0;
    if (!qcow2_libqcow_knows(&map->header)) {
        log_debug("%s: not compared with libqcow, which does not know it",
                  path);
        return 0;
    }
    if (!qcow2_libqcow_works(why, sizeof(why))) {
        log_warn("%s: not compared with libqcow: %s", path, why);
        return 0;
    }
    r = second_init(&second, err);
    if (r == 0)
        r = walk(&second, data_bytes / samples + 1, err);
    second_fini(&second);
    return r;
}
