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

/* file is moved, also on failure.  Reads the index, and refuses a file that is
 * cut off or has trailing garbage. */
int xz_open(struct file *file, struct stream **stream, struct error *err);

#endif
