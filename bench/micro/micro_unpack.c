/*
 * micro_unpack.c - a zlib cluster of a QCOW2, unpacked in three ways: by
 * libdeflate as a lane does it, by libqcow out of a whole image, and by zlib.
 * libdeflate earns its place by being half as fast again as libqcow.
 */
#include "micro.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "image/qcow2/libqcow.h"

#define CLUSTER  ((size_t)65536)
#define CLUSTERS 256U /* more than libqcow keeps */
#define DATA_AT  (3 * CLUSTER)
#define SECTOR   512U

struct bench {
    uint8_t *image; /* header, L1, L2, packed clusters one behind another */
    size_t len;
    struct image_host host;
    size_t at[CLUSTERS], packed[CLUSTERS]; /* where, and how long */
    unsigned next;
    uint8_t *want, *out; /* one cluster each */
    struct libdeflate_decompressor *deflate;
    struct qcow2_libqcow *libqcow;
    z_stream z;
};

static int read_memory(void *opaque, void *buf, size_t len, uint64_t offset,
                       struct error *err)
{
    const struct bench *bench = opaque;

    if (offset > bench->len || len > bench->len - offset)
        return error_set(err, ERROR_FORMAT, 0, "beyond the end");
    memcpy(buf, bench->image + offset, len);
    return 0;
}

/* Half noise and half repeats, as files of a guest are: packs to about 60 %. */
static void fill_cluster(uint8_t *out, unsigned number)
{
    micro_fill(out, CLUSTER);
    for (size_t at = 0; at + 64 <= CLUSTER; at += 64) {
        put_be32(out + at, number);
        memcpy(out + at + 32, "and again the same words as ever", 32);
    }
}

static size_t pack(uint8_t *cluster, uint8_t *to, size_t room)
{
    z_stream z = { 0 };
    size_t len;

    micro_require(deflateInit2(&z, 6, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) ==
                      Z_OK,
                  "deflate");
    z.next_in = cluster;
    z.avail_in = CLUSTER;
    z.next_out = to;
    z.avail_out = (uInt)room;
    micro_require(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
    len = room - z.avail_out;
    deflateEnd(&z);
    return len;
}

static void make_image(struct bench *bench)
{
    size_t at = DATA_AT;

    put_be32(bench->image, UINT32_C(0x514649fb)); /* "QFI", 0xfb */
    put_be32(bench->image + 4, 3);
    put_be32(bench->image + 20, 16); /* cluster bits */
    put_be64(bench->image + 24, CLUSTERS * CLUSTER);
    put_be32(bench->image + 36, 1); /* L1 entries */
    put_be64(bench->image + 40, CLUSTER);
    put_be32(bench->image + 96, 4);
    put_be32(bench->image + 100, 104);
    put_be64(bench->image + CLUSTER, UINT64_C(1) << 63 | 2 * CLUSTER);
    for (unsigned i = 0; i < CLUSTERS; i++) {
        size_t len, sectors;

        fill_cluster(bench->want, i);
        len = pack(bench->want, bench->image + at, CLUSTER);
        sectors = (at % SECTOR + len - 1) / SECTOR;
        put_be64(bench->image + 2 * CLUSTER + (size_t)8 * i,
                 UINT64_C(1) << 62 | (uint64_t)sectors << 54 | at);
        bench->at[i] = at;
        bench->packed[i] = len;
        at += len;
    }
    bench->len = (at + CLUSTER - 1) / CLUSTER * CLUSTER;
}

/* The next cluster; the one before it has been checked. */
static unsigned turn(struct bench *bench)
{
    return bench->next++ % CLUSTERS;
}

static void by_libdeflate(void *opaque)
{
    struct bench *bench = opaque;
    unsigned i = turn(bench);
    size_t used, got;

    micro_require(libdeflate_deflate_decompress_ex(
                      bench->deflate, bench->image + bench->at[i],
                      bench->packed[i], bench->out, CLUSTER, &used,
                      &got) == LIBDEFLATE_SUCCESS &&
                      got == CLUSTER,
                  "libdeflate does not unpack");
}

static void by_libqcow(void *opaque)
{
    struct bench *bench = opaque;

    micro_require(qcow2_libqcow_read(bench->libqcow, bench->out, CLUSTER,
                                     turn(bench) * (uint64_t)CLUSTER),
                  "libqcow does not read");
}

static void by_zlib(void *opaque)
{
    struct bench *bench = opaque;
    unsigned i = turn(bench);

    micro_require(inflateReset(&bench->z) == Z_OK, "zlib");
    bench->z.next_in = bench->image + bench->at[i];
    bench->z.avail_in = (uInt)bench->packed[i];
    bench->z.next_out = bench->out;
    bench->z.avail_out = CLUSTER;
    micro_require(inflate(&bench->z, Z_FINISH) == Z_STREAM_END,
                  "zlib does not unpack");
}

/* A way that is fast and wrong is none. */
static void check(struct bench *bench, micro_body *body)
{
    bench->next = 77;
    fill_cluster(bench->want, 77);
    memset(bench->out, 0, CLUSTER);
    body(bench);
    micro_require(memcmp(bench->out, bench->want, CLUSTER) == 0,
                  "a cluster is unpacked wrong");
}

static void run(struct bench *bench, const char *name, micro_body *body)
{
    check(bench, body);
    micro_run(name, CLUSTER, body, bench);
}

int main(int argc, char **argv)
{
    static struct bench bench;

    micro_begin(argc, argv);
    bench.image = micro_memory(DATA_AT + CLUSTERS * CLUSTER);
    bench.want = micro_memory(CLUSTER);
    bench.out = micro_memory(CLUSTER);
    make_image(&bench);
    bench.host = (struct image_host){ read_memory, &bench, bench.len };
    bench.deflate = libdeflate_alloc_decompressor();
    bench.libqcow = qcow2_libqcow_open(&bench.host);
    micro_require(bench.deflate && bench.libqcow &&
                      inflateInit2(&bench.z, -15) == Z_OK,
                  "open");
    run(&bench, "unpack.libdeflate-64k", by_libdeflate);
    run(&bench, "unpack.libqcow-64k", by_libqcow);
    run(&bench, "unpack.zlib-64k", by_zlib);
    inflateEnd(&bench.z);
    qcow2_libqcow_close(bench.libqcow);
    libdeflate_free_decompressor(bench.deflate);
    return 0;
}
