/* deflate.h - unpacks the zlib clusters of QCOW2 (raw deflate). */
#ifndef CW_IMAGE_QCOW2_DEFLATE_H
#define CW_IMAGE_QCOW2_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qcow2_deflate;

/* NULL when there is no memory. */
struct qcow2_deflate *qcow2_deflate_open(void);

/* Tolerates NULL. */
void qcow2_deflate_close(struct qcow2_deflate *deflate);

/*
 * Unpacks exactly out_len bytes.  What follows the deflate stream in packed
 * is ignored: a packed cluster is rounded up to sectors.
 */
bool qcow2_deflate_unpack(struct qcow2_deflate *deflate, const uint8_t *packed,
                          size_t packed_len, uint8_t *out, size_t out_len);

#endif
