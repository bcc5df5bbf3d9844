/* pending.h - the bytes of a sequentially read QCOW2 that are still needed: a
 * heap, ordered by their offset in the file. */
#ifndef CW_IMAGE_QCOW2_PENDING_H
#define CW_IMAGE_QCOW2_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 32 bytes each: at most 24 MiB.  Consecutive clusters are one entry, so that
 * is 48 GiB of disk if each 64 KiB cluster lies alone. */
#define QCOW2_PENDING_MAX (UINT32_C(768) << 10)

enum qcow2_want_kind {
    QCOW2_WANT_L1,
    QCOW2_WANT_L2,
    QCOW2_WANT_DATA,
    QCOW2_WANT_PACKED /* a compressed cluster */
};

struct qcow2_want {
    uint64_t host;         /* offset in the file */
    uint64_t guest;        /* on the disk; of an L2 table: its number */
    uint64_t length;       /* on the disk; of a table: in the file */
    uint32_t packed_bytes; /* in the file, if compressed */
    enum qcow2_want_kind kind;
};

struct qcow2_pending {
    struct qcow2_want *items; /* owned; a heap, the lowest host offset first */
    size_t count;
    size_t capacity;
};

/* Tolerates a zeroed struct. */
void qcow2_pending_fini(struct qcow2_pending *wants);

/* False: too many entries, or out of memory. */
bool qcow2_pending_add(struct qcow2_pending *wants,
                       const struct qcow2_want *want);

/* Removes the entry with the lowest file offset; false: none. */
bool qcow2_pending_take(struct qcow2_pending *wants, struct qcow2_want *want);

#endif
