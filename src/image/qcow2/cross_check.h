/*
 * cross_check.h - some clusters of a checked QCOW2, read our way and by
 * libqcow: they must be equal.
 */
#ifndef CW_IMAGE_QCOW2_CROSS_CHECK_H
#define CW_IMAGE_QCOW2_CROSS_CHECK_H

#include <stdint.h>

#include "image/qcow2/check.h"
#include "image/qcow2/map.h"

/*
 * Compares up to samples whole clusters, spread evenly over what the image
 * holds.  Returns how many: none, where libqcow is broken or does not know
 * this kind of image, which is logged.  Fails with ERROR_FORMAT when the two
 * differ.  path: for the log.
 */
int qcow2_cross_check_look(struct qcow2_map *map, const struct qcow2_host *host,
                           const struct qcow2_summary *summary,
                           unsigned samples, const char *path,
                           struct error *err);

#endif
