/* zstd.h - unpacks the zstd clusters of QCOW2. */
#ifndef CW_IMAGE_QCOW2_ZSTD_H
#define CW_IMAGE_QCOW2_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zstd_unpacker;

/* As qcow2_deflate_unpack(): exactly out_len bytes, the rest ignored. */
bool qcow2_zstd_unpack(struct zstd_unpacker *zstd, const uint8_t *packed,
                       size_t packed_len, uint8_t *out, size_t out_len);

#endif
