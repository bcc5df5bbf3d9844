/* xz_private.h - shared by the two xz decoders, which both use liblzma. */
#ifndef CW_IMAGE_STREAM_XZ_PRIVATE_H
#define CW_IMAGE_STREAM_XZ_PRIVATE_H

#include <lzma.h>

#include "image/stream/stream.h"

/* Memory that a decoder may use: 96 MiB, or less under a memory limit.  It
 * needs its dictionary and a little more: 65 MiB for xz -9, the largest
 * preset. */
uint64_t xz_memory_bytes(void);

/* Reports that a decoder needs needed_bytes: ERROR_FORMAT with the need, the
 * limit and the remedy.  Returns -1. */
int xz_refuse_memory(uint64_t needed_bytes, struct error *err);

/* Translates r, from decoding near byte `at` of the container, into *err.
 * Returns -1. */
int xz_explain(lzma_ret r, uint64_t at, struct error *err);

/* One lzma_code() over the input of stream, as stream_ops.step(). */
lzma_ret xz_code(struct stream *stream, lzma_stream *decoder, uint8_t *buf,
                 size_t len, size_t *got);

#endif
