/*
 * sizing.h - the size of the guest disk, and whether it fits.  Pure.
 *
 * A storage controller uses the same arithmetic to size a volume for a disk,
 * so that the requested and the accepted sizes never differ by a rounding:
 *
 *     usable(volume)  = floor_1MiB(ceil(volume / (1 + overhead)))
 *     required(disk)  = ceil(ceil_1MiB(disk) * (1 + overhead))
 *
 * The overhead is a share of the whole volume.  The part of the volume that is
 * not available (metadata, journal, reserved blocks) already counts towards
 * the overhead, so
 *
 *     need = ceil_1MiB(disk) + max(0, overhead share - taken)   <=   available
 *
 * and a fresh volume of required(disk) bytes is never refused for the overhead
 * that it was enlarged by.  A device has no overhead and no rounding.
 *
 * The zeros of a sparse file take no space.  The whole volume, and not what is
 * available now, has to hold such a disk: usable(volume) >= disk.  Of its data,
 * as much as is known in advance must be available.
 */
#ifndef CW_PLAN_SIZING_H
#define CW_PLAN_SIZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Facts from the caller; this module makes no system calls. */
struct sizing_facts {
    uint64_t virtual_bytes;   /* of the source's disk */
    uint64_t wanted_bytes;    /* requested guest disk; 0: the source's size */
    bool grow;                /* to what the volume offers, at most wanted */
    bool is_block_device;     /* no overhead, no rounding to 1 MiB */
    bool overcommit;          /* sparse file: may exceed the volume */
    bool is_sparse;           /* a file in which nothing is reserved */
    uint64_t data_bytes;      /* that a sparse file surely takes; 0: unknown */
    uint32_t overhead_ppm;    /* filesystem's share, 55000 = 5.5 % */
    uint64_t available_bytes; /* what the volume can still give to this disk */
    uint64_t
        taken_bytes; /* part of the volume that is not available; 0: unknown */
    uint64_t kept_bytes; /* part of it that the filesystem keeps for itself */
};

/* The decision and its numbers, which are also filled if the disk does not
 * fit. */
struct sizing_verdict {
    bool fits;
    uint64_t disk_bytes;      /* guest disk to create; whole sectors */
    uint64_t need_bytes;      /* disk and remaining overhead, or its data */
    uint64_t have_bytes;      /* available; of the volume if a sparse disk is
                               * too large for that */
    uint64_t usable_bytes;    /* the largest disk that would fit */
    uint64_t shortfall_bytes; /* need - have, or 0 */
    uint64_t volume_bytes;    /* smallest volume to request for this disk */
    uint32_t overhead_ppm;
    bool is_block_device;
};

/* The largest disk for a filesystem volume of volume_bytes. */
uint64_t sizing_usable(uint64_t volume_bytes, uint32_t overhead_ppm);

/* How much of available_bytes a volume of volume_bytes still keeps for its
 * filesystem: the overhead share less what is taken already. */
uint64_t sizing_kept(uint64_t volume_bytes, uint64_t available_bytes,
                     uint32_t overhead_ppm);

/* The smallest filesystem volume for a disk.  Returns true on overflow. */
bool sizing_required(uint64_t *volume_bytes, uint64_t disk_bytes,
                     uint32_t overhead_ppm);

/* The largest disk that facts have room for, data_bytes aside. */
uint64_t sizing_max(const struct sizing_facts *facts);

/*
 * Decides.  ERROR_NO_SPACE: the disk does not fit; the message has every
 * number of *verdict.  ERROR_USAGE: the requested disk is smaller than the
 * source's. ERROR_FORMAT: larger than any file can be.
 */
int sizing_plan(const struct sizing_facts *facts,
                struct sizing_verdict *verdict, struct error *err);

/* Formats 55000 as "5.5 %".  Returns buf. */
const char *sizing_format_ppm(char *buf, size_t len, uint32_t ppm);

#endif
