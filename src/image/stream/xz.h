/*
 * xz.h - an xz file as a stream: any number of streams and blocks, found
 * through the index at the end, each block checked against its checksum.
 *
 * Blocks are what can be returned to.  A file of small blocks (xz -T, pixz)
 * may be decoded by any number of lanes; one of a single large block only
 * from front to back.
 */
#ifndef CW_IMAGE_STREAM_XZ_H
#define CW_IMAGE_STREAM_XZ_H

#include "image/stream/stream.h"

/* A decoder takes its dictionary and a little more: 65 MiB for xz -9, the
 * largest preset. */
#define XZ_DECODER_MEMORY_BYTES (UINT64_C(96) << 20)

/* What a decoder may take here: that, or less in a memory limit. */
uint64_t xz_memory_bytes(void);

/* A decoder would need so much more: ERROR_FORMAT, with both and what to do.
 * Returns -1. */
int xz_refuse_memory(uint64_t needed_bytes, struct error *err);

/*
 * file is moved, on failure too.  Reads the index: a file that is cut off,
 * or has garbage behind it, is refused here.
 */
int xz_open(struct file *file, struct stream **stream, struct error *err);

/* Puts into err what r, an lzma_ret near byte in of the file, means.  Always
 * returns -1. */
int xz_explain(int r, uint64_t in, struct error *err);

#endif
