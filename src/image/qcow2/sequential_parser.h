/*
 * sequential_parser.h - a QCOW2 read once, from its first byte to its last, with no
 * way back: chunks of the disk come out in the order they become whole.
 *
 *   header -> L1 is there -> L2s are there -> clusters are there
 *                 |              |              |
 *                 +-- wanted ----+-- wanted ----+-> held until a chunk is
 *                                                   whole, then named
 *
 * Each table tells what to want of the bytes behind it; what has gone by
 * before a table told of it is missed.  Memory is bounded: wants (see
 * pending.h), held chunks (chunk_assembly.h), L1 (32 MiB at most, and that of 64 TiB
 * is 1 MiB), four clusters, two bits for each chunk of the disk and two bytes
 * for each with data.  Belongs to one thread.
 */
#ifndef CW_IMAGE_QCOW2_SEQUENTIAL_PARSER_H
#define CW_IMAGE_QCOW2_SEQUENTIAL_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/qcow2/header.h"
#include "image/stream/stream.h"
#include "plan/chunk_bitmap.h"

struct qcow2_parser;

/*
 * stream: at its beginning, read with stream_next(); borrowed.
 *
 * may_miss: what went by too early, or there was no room to hold, is told by
 * qcow2_parser_missed(); else it is ERROR_FORMAT that says what to do.
 */
int qcow2_parser_open(struct stream *stream, const struct qcow2_header *header,
                      bool may_miss, struct qcow2_parser **pass,
                      struct error *err);

/* Tolerates NULL. */
void qcow2_parser_close(struct qcow2_parser *pass);

/*
 * The next chunk of the disk that is whole: 1, 0 when there are no more (but
 * what was missed), -1.  It can be read until the next call.
 */
int qcow2_parser_next(struct qcow2_parser *pass, uint64_t *chunk,
                      struct error *err);

/* Is the chunk named last zero, by the map? */
bool qcow2_parser_is_zero(const struct qcow2_parser *pass);

/* All of the chunk named last, which is not zero, at most once. */
int qcow2_parser_read(struct qcow2_parser *pass, uint8_t *buf,
                      struct error *err);

/* To the end of the stream: all its checksums are right. */
int qcow2_parser_drain(struct qcow2_parser *pass, struct error *err);

/* Chunks that have to be read again; all of them once next() has said 0. */
const struct chunk_bitmap *qcow2_parser_missed(const struct qcow2_parser *pass);

#endif
