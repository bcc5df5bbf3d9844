/*
 * libqcow.h - a second opinion: the same QCOW2 read by libqcow.
 *
 * libqcow is never asked for anything our own walk has not found sound: the
 * version of Debian 12 returns stale bytes for zero clusters and its own heap
 * for clusters that are cut off, a newer one reads every compressed cluster
 * of version 3 wrong.  So it is tried first on a small image of our making,
 * gets only images the gate let through, and is asked only for whole clusters
 * of the kinds it can read.
 */
#ifndef CW_IMAGE_QCOW2_LIBQCOW_H
#define CW_IMAGE_QCOW2_LIBQCOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/qcow2/header.h"

struct qcow2_libqcow;

/* Does the installed library read a small image right?  Else why says what
 * was wrong. */
bool qcow2_libqcow_works(char *why, size_t why_len);

/* Does it know all that this image uses? */
bool qcow2_libqcow_knows(const struct qcow2_header *header);

/*
 * host is borrowed.  NULL when libqcow does not open it.
 */
struct qcow2_libqcow *qcow2_libqcow_open(const struct qcow2_host *host);

/* Tolerates NULL. */
void qcow2_libqcow_close(struct qcow2_libqcow *libqcow);

/* Fills buf with the whole cluster of len bytes at offset of the disk; false
 * when less comes, or nothing. */
bool qcow2_libqcow_read(struct qcow2_libqcow *libqcow, uint8_t *buf, size_t len,
                        uint64_t offset);

#endif
