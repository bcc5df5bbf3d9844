/*
 * probe.h - detects the format of an image by content, never by name.  Pure.
 *
 * The result is a guess: the guest controls the bytes of a raw disk.  The
 * caller must check the whole structure before it acts on the guess.  A wrong
 * guess would refuse a good disk, so no row of the table matches what boot
 * loaders, partition tables, filesystems and volume managers put into the
 * first 512 bytes of a disk (tests/unit has samples of them).  The probe reads
 * no other bytes, except the last 512, where some formats have their only
 * magic.
 */
#ifndef CW_IMAGE_PROBE_H
#define CW_IMAGE_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"
#include "image/image.h"

enum probe_kind {
    PROBE_RAW,        /* unknown: a disk as it is */
    PROBE_IMAGE,      /* a row of formats[] */
    PROBE_COMPRESSED, /* a row of compressions[] */
    PROBE_FOREIGN     /* known, but not supported */
};

/* What to do with an image that QEMU reads and we do not: messages. */
#define PROBE_SERVE(format)                        \
    "serve it with qemu-nbd -r -t -e 0 -f " format \
    " --socket=SOCKET FILE and give nbd+unix:///?socket=SOCKET here"

struct probe {
    enum probe_kind kind;
    const char *name;      /* "QCOW2", "VMDK": for messages; static */
    const char *qemu;      /* QEMU's name of a foreign format; or NULL */
    enum cw_format format; /* if kind is PROBE_IMAGE */
    enum image_compression compression; /* if kind is PROBE_COMPRESSED */
};

/* Bytes that the probe reads. */
#define PROBE_HEAD_BYTES 512U
#define PROBE_TAIL_BYTES 512U

/* head: the first PROBE_HEAD_BYTES, or the whole image if that is shorter.
 * tail: the last PROBE_TAIL_BYTES, or none (tail_len 0). */
struct probe probe_content(const uint8_t *head, size_t head_len,
                           const uint8_t *tail, size_t tail_len);

#endif
