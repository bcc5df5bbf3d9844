#include "api/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "image/image_identity.h"
#include "job/public_types.h"
#include "plan/chunk_grid.h"
#include "record/receipt.h"
#include "transfer/disk_scan.h"

/* Digests virtual_bytes (0: all) of the disk into a new table, owned by the
 * caller. */
static int digest_disk(const struct image_options *image,
                       enum cw_io_engine engine,
                       enum digest_algorithm algorithm, uint64_t virtual_bytes,
                       struct digest **table, struct error *err)
{
    struct disk_scan scan = { .image = *image, .virtual_bytes = virtual_bytes };
    struct image *whole;
    char why[256];
    int r;

    scan.image.takes_any_order = true;
    if (io_queue_choose(engine, &scan.engine, why, sizeof(why), err) < 0 ||
        image_open(&scan.image, &whole, err) < 0)
        return -1;
    if (virtual_bytes == 0)
        scan.virtual_bytes = whole->virtual_bytes;
    scan.image.like = whole;
    r = digest_open(algorithm, scan.virtual_bytes, table, err);
    if (r == 0) {
        r = disk_scan_run(&scan, *table, err);
        if (r == 0)
            r = image_check_same(whole, err);
        if (r < 0)
            digest_close(*table);
    }
    image_close(whole);
    return r;
}

int verify_digest(const struct image_options *image, enum cw_io_engine engine,
                  enum cw_digest digest, uint64_t virtual_bytes, char *text,
                  struct error *err)
{
    enum digest_algorithm algorithm = public_digest(digest);
    uint8_t root[DIGEST_ROOT_BYTES];
    struct digest *table;

    if (digest_disk(image, engine, algorithm, virtual_bytes, &table, err) < 0)
        return -1;
    digest_root(table, root);
    digest_format(algorithm, root, text);
    digest_close(table);
    return 0;
}

/* ---- receipts ---- */

static void fill_receipt(const struct receipt *receipt,
                         struct cw_receipt *found)
{
    *found = (struct cw_receipt){
        .disk_bytes = receipt->disk_bytes,
        .ended_unix_ns = receipt->ended_ns,
    };
    digest_format(receipt->algorithm, receipt->root, found->digest);
}

static int check_size(const struct image_options *options, const char *path,
                      uint64_t disk_bytes, struct error *err)
{
    struct image *image;
    uint64_t bytes;

    if (image_open(options, &image, err) < 0)
        return -1;
    bytes = image->virtual_bytes;
    image_close(image);
    if (bytes >= disk_bytes)
        return 0;
    return error_set(err, ERROR_MISMATCH, 0,
                     "%s is a disk of %" PRIu64 " bytes, that of %s has "
                     "%" PRIu64,
                     options->path, bytes, path, disk_bytes);
}

struct difference {
    uint64_t chunks, first; /* number that differ; first of them */
};

/* Calls each() for runs of chunks that differ.  -1: each() returned < 0. */
static int report_runs(const struct digest *a, const struct digest *b,
                       int (*each)(void *opaque, uint64_t offset,
                                   uint64_t length),
                       void *opaque, struct difference *difference)
{
    uint64_t chunks = chunk_grid_count(digest_disk_bytes(a)), end;

    for (uint64_t i = 0; i < chunks; i = end) {
        uint64_t length = 0;

        end = i + 1;
        if (digest_agrees(a, b, i))
            continue;
        for (end = i; end < chunks && !digest_agrees(a, b, end); end++)
            length += chunk_grid_length(digest_disk_bytes(a), end);
        if (difference->chunks == 0)
            difference->first = i;
        difference->chunks += end - i;
        if (each && each(opaque, i * CHUNK_BYTES, length) < 0)
            return -1;
    }
    return 0;
}

/* The root digest differs: finds the chunks that do. */
static int report_difference(const struct digest *table, const char *disk,
                             const char *path, const struct receipt *receipt,
                             const struct verify_listener *listener,
                             struct error *err)
{
    struct difference difference = { 0 };
    struct digest *wanted;
    struct error why;
    int r;

    if (digest_open(receipt->algorithm, receipt->disk_bytes, &wanted, err) < 0)
        return -1;
    r = receipt_read_chunks(path, receipt, wanted, &why);
    if (r == 0 && report_runs(table, wanted, listener->each, listener->opaque,
                              &difference) < 0)
        r = error_set(&why, ERROR_SYSTEM, 0, "print where");
    digest_close(wanted);
    if (r < 0)
        return error_set(err, ERROR_MISMATCH, 0,
                         "%s is not the disk that %s is of; where it differs "
                         "is unknown: %s",
                         disk, path, why.text);
    return error_set_at(err, ERROR_MISMATCH, 0, difference.first * CHUNK_BYTES,
                        "%s is not the disk that %s is of: %" PRIu64
                        " chunks differ, the first is chunk %" PRIu64
                        " at %" PRIu64,
                        disk, path, difference.chunks, difference.first,
                        difference.first * CHUNK_BYTES);
}

int verify_check_receipt(const struct image_options *image,
                         enum cw_io_engine engine, const char *path,
                         const struct verify_listener *listener,
                         struct error *err)
{
    uint8_t root[DIGEST_ROOT_BYTES];
    struct receipt receipt;
    struct digest *table;
    int r = 0;

    if (receipt_read(path, &receipt, err) < 0 ||
        check_size(image, path, receipt.disk_bytes, err) < 0)
        return -1;
    fill_receipt(&receipt, listener->receipt);
    if (receipt.disk_bytes == 0)
        r = digest_open(receipt.algorithm, 0, &table, err);
    else
        r = digest_disk(image, engine, receipt.algorithm, receipt.disk_bytes,
                        &table, err);
    if (r < 0)
        return -1;
    digest_root(table, root);
    if (memcmp(root, receipt.root, sizeof(root)) != 0)
        r = report_difference(table, image->path, path, &receipt, listener,
                              err);
    digest_close(table);
    return r;
}
