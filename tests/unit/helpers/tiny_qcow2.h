/*
 * tiny_qcow2.h - a QCOW2 image of a few clusters, made field by field, for
 * tests of what no sane program writes.
 *
 *   cluster 0: header   1: L1 table   2: L2 table   3 and up: data
 */
#ifndef CW_TESTS_TINY_QCOW2_H
#define CW_TESTS_TINY_QCOW2_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "image/qcow2/header.h"

#define TINY_BITS     14U
#define TINY_CLUSTER  (UINT64_C(1) << TINY_BITS)
#define TINY_CLUSTERS 8U
#define TINY_BYTES    (TINY_CLUSTERS * TINY_CLUSTER)
#define TINY_DISK     (UINT64_C(5) * TINY_CLUSTER - 512)

struct tiny {
    uint8_t bytes[TINY_BYTES];
    struct image_host host;
};

static inline int tiny_read(void *opaque, void *buf, size_t len,
                            uint64_t offset, struct error *err)
{
    const struct tiny *tiny = opaque;

    (void)err;
    /* Nothing outside the file is ever asked for, whatever is in it. */
    assert(offset <= tiny->host.size_bytes &&
           len <= tiny->host.size_bytes - offset);
    memcpy(buf, tiny->bytes + offset, len);
    return 0;
}

static inline void tiny_l1(struct tiny *tiny, unsigned index, uint64_t entry)
{
    put_be64(tiny->bytes + TINY_CLUSTER + (size_t)index * 8, entry);
}

static inline void tiny_l2(struct tiny *tiny, unsigned index, uint64_t entry)
{
    put_be64(tiny->bytes + 2 * TINY_CLUSTER + (size_t)index * 8, entry);
}

/* Version 3, all unallocated. */
static inline void tiny_init(struct tiny *tiny)
{
    uint8_t *h = tiny->bytes;

    memset(tiny->bytes, 0, sizeof(tiny->bytes));
    tiny->host = (struct image_host){
        .read = tiny_read,
        .opaque = tiny,
        .size_bytes = TINY_BYTES,
    };
    memcpy(h, "QFI\xfb", 4);
    put_be32(h + 4, 3);
    put_be32(h + 20, TINY_BITS);
    put_be64(h + 24, TINY_DISK);
    put_be32(h + 36, 1);            /* L1 entries */
    put_be64(h + 40, TINY_CLUSTER); /* L1 offset */
    put_be32(h + 96, 4);            /* refcount order */
    put_be32(h + 100, 104);         /* header length */
    tiny_l1(tiny, 0, 2 * TINY_CLUSTER);
}

#endif
