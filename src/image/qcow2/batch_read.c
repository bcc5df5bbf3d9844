#include "image/qcow2/batch_read.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "image/qcow2/grow.h"
#include "plan/chunk_grid.h"

/* Compressed clusters may share a sector: one may begin in another's last. */
#define SHARED_BYTES 512U

struct piece {
    struct qcow2_run run; /* DATA or COMPRESSED, inside one chunk */
    uint8_t *to;
};

struct run_list {
    struct piece *items; /* owned */
    size_t count, capacity;
};

/* A forward-only host that keeps the end of the last read. */
struct forward {
    const struct image_host *host;
    uint64_t end; /* host offset after the bytes kept */
    size_t kept;
    uint8_t bytes[SHARED_BYTES];
};

/* ---- the list of pieces ---- */

static int add_piece_of(struct run_list *pieces, const struct qcow2_run *run,
                        uint8_t *to, struct error *err)
{
    struct piece *items = grow(pieces->items, pieces->count, &pieces->capacity,
                               sizeof(*items));

    if (!items)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "gather clusters");
    pieces->items = items;
    pieces->items[pieces->count++] = (struct piece){ *run, to };
    return 0;
}

static int add_chunk(const struct qcow2_batch *gather, uint64_t chunk,
                     uint8_t *buf, struct run_list *pieces, struct error *err)
{
    uint64_t begin = chunk * CHUNK_BYTES;
    uint64_t end = begin +
                   chunk_grid_length(gather->map->header.virtual_bytes, chunk);
    struct qcow2_run run;

    for (uint64_t at = begin; at < end; at += run.length) {
        uint8_t *to = buf + (at - begin);

        if (qcow2_map_at(gather->map, at, end, &run, err) < 0)
            return -1;
        if (run.kind == QCOW2_UNALLOCATED || run.kind == QCOW2_ZERO)
            memset(to, 0, (size_t)run.length);
        else if (add_piece_of(pieces, &run, to, err) < 0)
            return -1;
    }
    return 0;
}

static int by_host(const void *a, const void *b)
{
    uint64_t left = ((const struct piece *)a)->run.host_offset;
    uint64_t right = ((const struct piece *)b)->run.host_offset;

    return (left > right) - (left < right);
}

/* ---- the walk ---- */

static int read_forward(void *opaque, void *buf, size_t len, uint64_t offset,
                        struct error *err)
{
    struct forward *forward = opaque;
    uint8_t *at = buf;
    size_t had = 0;

    if (offset < forward->end && forward->end - offset <= forward->kept) {
        had = (size_t)(forward->end - offset);
        if (had > len)
            had = len;
        memcpy(at, forward->bytes + forward->kept - (forward->end - offset),
               had);
    }
    if (had == len)
        return 0;
    if (forward->host->read(forward->host->opaque, at + had, len - had,
                            offset + had, err) < 0)
        return -1;
    forward->kept = len < SHARED_BYTES ? len : SHARED_BYTES;
    forward->end = offset + len;
    memcpy(forward->bytes, at + len - forward->kept, forward->kept);
    return 0;
}

static bool is_stopped(const struct qcow2_batch *gather)
{
    struct pollfd stop = { .fd = gather->stop_fd, .events = POLLIN };

    return gather->stop_fd > 0 && poll(&stop, 1, 0) > 0;
}

static int walk(const struct qcow2_batch *gather, struct run_list *pieces,
                struct error *err)
{
    struct forward forward = { .host = gather->host };
    struct image_host host = {
        .read = read_forward,
        .opaque = &forward,
        .size_bytes = gather->host->size_bytes,
    };

    if (pieces->count > 0)
        qsort(pieces->items, pieces->count, sizeof(*pieces->items), by_host);
    for (size_t i = 0; i < pieces->count; i++) {
        const struct qcow2_run *run = &pieces->items[i].run;
        uint8_t *to = pieces->items[i].to;
        int r;

        if (is_stopped(gather))
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
        if (run->kind == QCOW2_COMPRESSED)
            r = qcow2_compressed_read(gather->packed, &host, run, to, err);
        else
            r = read_forward(&forward, to, (size_t)run->length,
                             run->host_offset, err);
        if (r < 0)
            return -1;
    }
    return 0;
}

int qcow2_batch(const struct qcow2_batch *gather, const uint64_t *chunks,
                size_t count, uint8_t *buf, struct error *err)
{
    struct run_list pieces = { 0 };
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = add_chunk(gather, chunks[i], buf + i * CHUNK_BYTES, &pieces, err);
    if (r == 0)
        r = walk(gather, &pieces, err);
    free(pieces.items);
    return r;
}
