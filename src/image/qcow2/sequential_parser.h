/*
 * sequential_parser.h - parses a QCOW2 from its first byte to its last,
 * without seeking.  It returns the chunks of the disk in the order they become
 * whole.
 *
 *   header -> L1 is there -> L2s are there -> clusters are there
 *                 |              |              |
 *                 +--- pending --+--- pending --+-> held until a chunk is
 *                                                   whole, then returned
 *
 * Each table names later bytes that are needed.  Bytes that went by before a
 * table named them are missed.  Memory is bounded: pending items (see
 * pending.h), held chunks (chunk_assembly.h), L1 (32 MiB at most; 64 TiB need
 * 1 MiB), four clusters, two bits for each chunk of the disk and two bytes for
 * each with data. Belongs to one thread.
 */
#ifndef CW_IMAGE_QCOW2_SEQUENTIAL_PARSER_H
#define CW_IMAGE_QCOW2_SEQUENTIAL_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "image/qcow2/header.h"
#include "image/stream/stream.h"
#include "plan/chunk_bitmap.h"

struct qcow2_parser;
struct spool;

/*
 * stream: at its beginning, read with stream_next(); borrowed.
 *
 * may_miss: qcow2_parser_missed() returns data that came too early or could
 * not be held; otherwise that is ERROR_FORMAT, with the remedy.
 */
int qcow2_parser_open(struct stream *stream, const struct qcow2_header *header,
                      bool may_miss, struct qcow2_parser **pass,
                      struct error *err);

/*
 * Keeps in spool (borrowed; NULL: none) what a second reading needs: all but
 * the chunks that were returned.  Call it before the first next().  Data that
 * comes too early is then an error only if the spool has lost bytes.
 */
void qcow2_parser_spool(struct qcow2_parser *pass, struct spool *spool);

/* Tolerates NULL. */
void qcow2_parser_close(struct qcow2_parser *pass);

/* Finds the next whole chunk of the disk.  Returns 1; 0: there are none left,
 * except missed ones; -1.  The chunk can be read until the next call. */
int qcow2_parser_next(struct qcow2_parser *pass, uint64_t *chunk,
                      struct error *err);

/* Is the last returned chunk zero, by the map? */
bool qcow2_parser_is_zero(const struct qcow2_parser *pass);

/* Reads all of the last returned chunk, which is not zero; at most once. */
int qcow2_parser_read(struct qcow2_parser *pass, uint8_t *buf,
                      struct error *err);

/* Reads to the end of the stream, which proves all of its checksums. */
int qcow2_parser_drain(struct qcow2_parser *pass, struct error *err);

/* Chunks that must be read again; complete once next() has returned 0. */
const struct chunk_bitmap *qcow2_parser_missed(const struct qcow2_parser *pass);

#endif
