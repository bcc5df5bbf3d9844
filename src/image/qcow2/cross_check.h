/* cross_check.h - compares some clusters of a checked QCOW2 as read by this
 * code and by libqcow. */
#ifndef CW_IMAGE_QCOW2_CROSS_CHECK_H
#define CW_IMAGE_QCOW2_CROSS_CHECK_H

#include <stdint.h>

#include "image/qcow2/check.h"
#include "image/qcow2/map.h"

/*
 * Compares up to samples whole clusters, spread evenly over the data of the
 * image. Returns how many: none, with a log message, if libqcow is broken or
 * does not support this kind of image.  Fails with ERROR_FORMAT if the two
 * differ. path: for the log.
 */
int qcow2_cross_check_look(struct qcow2_map *map, const struct image_host *host,
                           const struct qcow2_summary *summary,
                           unsigned samples, const char *path,
                           struct error *err);

#endif
