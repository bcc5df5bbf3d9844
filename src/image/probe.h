/*
 * probe.h - what kind of image is this, by content and never by name.  Pure.
 *
 * A first guess only: the bytes of a raw disk are its guest's, so whoever
 * acts on a guess must first see that the whole structure is sound.  And a
 * guess that a true disk causes by chance would refuse that disk: no row of
 * the table matches what boot loaders, partition tables, filesystems and
 * volume managers put into the first 512 bytes of a disk (tests/unit has
 * samples of them), and nothing behind those is looked at, but for the last
 * 512, where some formats have their only mark.
 */
#ifndef CW_IMAGE_PROBE_H
#define CW_IMAGE_PROBE_H

#include <stddef.h>
#include <stdint.h>

enum probe_kind {
    PROBE_RAW, /* nothing known: a disk as it is */
    PROBE_QCOW2,
    PROBE_GZIP,
    PROBE_XZ,
    PROBE_ZSTD,    /* by whoever takes it in order */
    PROBE_FOREIGN, /* known, and not ours to read */
    PROBE_FOOTER   /* as PROBE_FOREIGN: a raw disk, and then a footer */
};

struct probe {
    enum probe_kind kind;
    const char *name; /* "QCOW2", "VMDK": for people; static */
};

/* What it looks at. */
#define PROBE_HEAD_BYTES 512U
#define PROBE_TAIL_BYTES 512U

/*
 * head: the first bytes, PROBE_HEAD_BYTES or all there are.  tail: the last
 * PROBE_TAIL_BYTES, or none (tail_len 0).
 */
struct probe probe_content(const uint8_t *head, size_t head_len,
                           const uint8_t *tail, size_t tail_len);

#endif
