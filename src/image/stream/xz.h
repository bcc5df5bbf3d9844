/*
 * xz.h - an xz file as a stream: any number of streams and blocks, found
 * through the index at the end.  Each block is checked against its checksum.
 *
 * Every block is a restart point.  Any number of lanes may decode a file of
 * small blocks (xz -T, pixz).  A single large block is decoded only from front
 * to back.
 */
#ifndef CW_IMAGE_STREAM_XZ_H
#define CW_IMAGE_STREAM_XZ_H

#include "image/stream/stream.h"

/* A decoder needs its dictionary and a little more: 65 MiB for xz -9, the
 * largest preset. */
#define XZ_DECODER_MEMORY_BYTES (UINT64_C(96) << 20)

/* Memory that a decoder may use: the above, or less under a memory limit. */
uint64_t xz_memory_bytes(void);

/* Reports that a decoder needs needed_bytes: ERROR_FORMAT with the need, the
 * limit and the remedy.  Returns -1. */
int xz_refuse_memory(uint64_t needed_bytes, struct error *err);

/* file is moved, also on failure.  Reads the index, and refuses a file that is
 * cut off or has garbage at its end. */
int xz_open(struct file *file, struct stream **stream, struct error *err);

/*
 * Translates r, an lzma_ret near byte in of the file, into *err.  Returns -1.
 */
int xz_explain(int r, uint64_t in, struct error *err);

#endif
