/*
 * libqcow.h - reads the same QCOW2 with libqcow, for comparison.
 *
 * libqcow only reads what our own check has found valid.  The version of
 * Debian 12 returns stale bytes for zero clusters and its own heap for
 * truncated clusters; a newer one reads every compressed cluster of version 3
 * wrong.  So it is first tried on a small generated image, gets only images
 * that passed the header check, and reads only whole clusters of the kinds
 * that it supports.
 */
#ifndef CW_IMAGE_QCOW2_LIBQCOW_H
#define CW_IMAGE_QCOW2_LIBQCOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/qcow2/header.h"

struct qcow2_libqcow;

/* Does the installed library read a small image correctly?  Otherwise why has
 * the reason. */
bool qcow2_libqcow_works(char *why, size_t why_len);

/* Does it support every feature of this image? */
bool qcow2_libqcow_knows(const struct qcow2_header *header);

/* host is borrowed.  NULL: libqcow cannot open it. */
struct qcow2_libqcow *qcow2_libqcow_open(const struct image_host *host);

/* Tolerates NULL. */
void qcow2_libqcow_close(struct qcow2_libqcow *libqcow);

/* Fills buf with the whole cluster of len bytes at offset of the disk.  False:
 * the read failed or was short. */
bool qcow2_libqcow_read(struct qcow2_libqcow *libqcow, uint8_t *buf, size_t len,
                        uint64_t offset);

#endif
