/*
 * sizing.h - how large is the guest disk made, and does it fit?  Pure.
 *
 * The arithmetic is the one a storage controller uses when it sizes a volume
 * for a disk, so that what it requests and what is accepted here never differ
 * by a rounding:
 *
 *     usable(volume)  = floor_1MiB(ceil(volume / (1 + overhead)))
 *     required(disk)  = ceil(ceil_1MiB(disk) * (1 + overhead))
 *
 * The overhead is a share of the whole volume.  What the filesystem has
 * already taken out of it (metadata, journal, reserved blocks: everything
 * that is not available) has paid for its part of the overhead, so
 *
 *     need = ceil_1MiB(disk) + max(0, overhead share - taken)   <=   available
 *
 * and a fresh volume of required(disk) bytes is never refused for the very
 * overhead it was enlarged by.  A device has no overhead and no rounding.
 */
#ifndef CW_PLAN_SIZING_H
#define CW_PLAN_SIZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Facts, gathered by the caller; this module asks the kernel nothing. */
struct sizing_facts {
    uint64_t virtual_bytes;   /* of the source's disk */
    uint64_t wanted_bytes;    /* of the guest disk; 0: the source's */
    bool grow;                /* to what the volume offers, at most wanted */
    bool is_block_device;     /* no overhead, no rounding to 1 MiB */
    bool overcommit;          /* sparse file: may exceed what is available */
    uint32_t overhead_ppm;    /* filesystem's share, 55000 = 5.5 % */
    uint64_t available_bytes; /* what the volume can still give this disk */
    uint64_t taken_bytes;     /* of the volume, not available; 0: unknown */
    uint64_t kept_bytes;      /* of those by the filesystem for itself */
};

/* The decision and its numbers; all are filled also when it does not fit. */
struct sizing_verdict {
    bool fits;
    uint64_t disk_bytes;      /* of the guest disk to be made; whole sectors */
    uint64_t need_bytes;      /* disk and the overhead still to be paid */
    uint64_t have_bytes;      /* available */
    uint64_t usable_bytes;    /* the largest disk that would fit */
    uint64_t shortfall_bytes; /* need - have, or 0 */
    uint64_t volume_bytes;    /* smallest volume to request for this disk */
    uint32_t overhead_ppm;
    bool is_block_device;
};

/* The largest disk for a filesystem volume of volume_bytes. */
uint64_t sizing_usable(uint64_t volume_bytes, uint32_t overhead_ppm);

/* The smallest filesystem volume for a disk.  True = overflow. */
bool sizing_required(uint64_t *volume_bytes, uint64_t disk_bytes,
                     uint32_t overhead_ppm);

/*
 * Decides.  ERROR_NO_SPACE: it does not fit; the text has every number of
 * *verdict.  ERROR_USAGE: a disk smaller than the source's is wanted.
 * ERROR_FORMAT: larger than any file can be.
 */
int sizing_plan(const struct sizing_facts *facts,
                struct sizing_verdict *verdict, struct error *err);

/* "5.5 %" for 55000.  Returns buf. */
const char *sizing_format_ppm(char *buf, size_t len, uint32_t ppm);

#endif
