#include "image/qcow2/compressed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/zstd.h"
#include "image/inflate.h"

#define NONE_KEPT UINT64_MAX

struct qcow2_compressed {
    size_t cluster_len;
    /* Owned; one of the two.  libdeflate and not libqcow: 0.44 against 0.22
     * GB/s per thread on one 4 GiB image, and 2 MiB clusters cost libqcow 400
     * MB of cache.  libqcow is the cross-check (libqcow.h). */
    struct inflater *deflate;
    struct zstd_unpacker *zstd;
    uint8_t *input;   /* owned; an entry can span two clusters of bytes */
    uint8_t *cluster; /* owned; unpacked */
    uint64_t kept;    /* disk offset of the content of cluster */
    size_t used;      /* bytes in the file of the last cluster decoded */
};

struct qcow2_compressed *qcow2_compressed_open(
    const struct qcow2_header *header)
{
    struct qcow2_compressed *packed = calloc(1, sizeof(*packed));

    if (!packed)
        return NULL;
    packed->cluster_len = (size_t)header->cluster_bytes;
    packed->kept = NONE_KEPT;
    packed->input = malloc(2 * packed->cluster_len);
    packed->cluster = malloc(packed->cluster_len);
    switch (header->compression) {
    case QCOW2_ZLIB: packed->deflate = inflater_open(); break;
    case QCOW2_ZSTD: packed->zstd = zstd_unpacker_open(); break;
    }
    if (packed->input && packed->cluster && (packed->deflate || packed->zstd))
        return packed;
    qcow2_compressed_close(packed);
    return NULL;
}

void qcow2_compressed_close(struct qcow2_compressed *packed)
{
    if (!packed)
        return;
    inflater_close(packed->deflate);
    zstd_unpacker_close(packed->zstd);
    free(packed->input);
    free(packed->cluster);
    free(packed);
}

/* Decodes zstd frames of exactly out_len bytes.  The end of a frame is found
 * first, so sector padding after it is harmless. */
static bool unpack_zstd(struct zstd_unpacker *zstd, const uint8_t *packed,
                        size_t packed_len, uint8_t *out, size_t out_len,
                        size_t *used)
{
    *used = 0;
    while (out_len > 0) {
        size_t frame = zstd_frame_bytes(packed, packed_len);
        size_t got;

        if (frame == 0 || !zstd_unpack(zstd, packed, frame, out, out_len, &got))
            return false;
        *used += frame;
        packed += frame;
        packed_len -= frame;
        out += got;
        out_len -= got;
    }
    return true;
}

static int unpack(struct qcow2_compressed *packed,
                  const struct image_host *host, const struct qcow2_run *run,
                  uint8_t *out, struct error *err)
{
    bool ok;

    if (host->read(host->opaque, packed->input, run->packed_bytes,
                   run->host_offset, err) < 0)
        return -1;
    if (packed->zstd)
        ok = unpack_zstd(packed->zstd, packed->input, run->packed_bytes, out,
                         packed->cluster_len, &packed->used);
    else
        ok = inflate_raw(packed->deflate, packed->input, run->packed_bytes, out,
                         packed->cluster_len, &packed->used);
    if (ok)
        return 0;
    return error_set_at(err, ERROR_FORMAT, 0, run->offset,
                        "qcow2: the compressed cluster of disk offset %" PRIu64
                        " at %" PRIu64 " does not unpack: damaged or "
                        "truncated image",
                        run->offset, run->host_offset);
}

int qcow2_compressed_read(struct qcow2_compressed *packed,
                          const struct image_host *host,
                          const struct qcow2_run *run, uint8_t *out,
                          struct error *err)
{
    uint64_t begin = run->offset & ~((uint64_t)packed->cluster_len - 1);

    if (run->length == packed->cluster_len)
        return unpack(packed, host, run, out, err);

    if (packed->kept != begin) {
        packed->kept = NONE_KEPT;
        if (unpack(packed, host, run, packed->cluster, err) < 0)
            return -1;
        packed->kept = begin;
    }
    memcpy(out, packed->cluster + (run->offset - begin), (size_t)run->length);
    return 0;
}

size_t qcow2_compressed_used(const struct qcow2_compressed *packed)
{
    return packed->used;
}
