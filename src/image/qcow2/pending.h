/*
 * pending.h - what is still wanted of the bytes of a QCOW2 that come in
 * order: a heap, by where it is in the file.
 */
#ifndef CW_IMAGE_QCOW2_PENDING_H
#define CW_IMAGE_QCOW2_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 32 bytes each: at most 24 MiB.  Clusters that follow one another are one
 * want, so that is 48 GiB of disk where each of 64 KiB lies by itself. */
#define QCOW2_PENDING_MAX (UINT32_C(768) << 10)

enum qcow2_want_kind {
    QCOW2_WANT_L1,
    QCOW2_WANT_L2,
    QCOW2_WANT_DATA,
    QCOW2_WANT_PACKED /* a compressed cluster */
};

struct qcow2_want {
    uint64_t host;         /* offset in the file */
    uint64_t guest;        /* of the disk; of an L2 table: its number */
    uint64_t length;       /* of the disk; of a table: of the file */
    uint32_t packed_bytes; /* of the file, where packed */
    enum qcow2_want_kind kind;
};

struct qcow2_pending {
    struct qcow2_want *items; /* owned; a heap, the least host offset first */
    size_t count;
    size_t capacity;
};

/* Tolerates a zeroed one. */
void qcow2_pending_fini(struct qcow2_pending *wants);

/* False when there is no room: there are too many, or no memory. */
bool qcow2_pending_add(struct qcow2_pending *wants,
                       const struct qcow2_want *want);

/* Takes out the one nearest to the beginning of the file; false: none. */
bool qcow2_pending_take(struct qcow2_pending *wants, struct qcow2_want *want);

#endif
