/*
 * chunk_writer.h - digests chunks and writes them to the sink, with several in
 * flight; for a copy within this machine and for an upload.
 *
 *   chunk_writer_put -> sink_write / sink_zero ... io_queue_reap -> chunk_writer_written
 *
 * One thread uses a writer; it reaps the I/O queue itself.
 */
#ifndef CW_TRANSFER_CHUNK_WRITER_H
#define CW_TRANSFER_CHUNK_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "job/job.h"
#include "plan/chunk_grid.h"
#include "sink/sink.h"
#include "transfer/chunk.h"
#include "transfer/io_context.h"

/* Data and zeros alternate; each run is at least one block (4 KiB). */
#define CHUNK_WRITER_RUNS_MAX (CHUNK_BYTES / BLOCK_BYTES / 2 + 1)

/* A chunk that is being written. */
struct chunk_write {
    uint8_t *buf; /* leased; NULL: this slot is free */
    uint64_t index;
    uint64_t mapped_bytes; /* of the chunk: progress when it is written */
    uint64_t data_bytes;   /* of the chunk that are written, and not zero */
    unsigned writing;      /* writes in flight */
    unsigned count;
    struct io runs[CHUNK_WRITER_RUNS_MAX]; /* their owner is this struct */
};

struct chunk_writer {
    struct cw_job *job;     /* borrowed: its digest and progress */
    struct sink *sink;      /* borrowed */
    struct io_context *io;  /* borrowed */
    struct sink_lane *lane; /* owned */
    struct chunk_write writes[JOB_BUFFERS_PER_LANE];
};

/* All arguments are borrowed.  ERROR_SYSTEM: no memory. */
int chunk_writer_open(struct chunk_writer *writer, struct cw_job *job,
                      struct sink *sink, struct io_context *io,
                      struct error *err);

/*
 * Digests the chunk and starts to write its data.  Takes over chunk->buf, and
 * returns it to the pool when all is written.  Zero runs too short for the sink
 * are written with their neighbours.
 */
int chunk_writer_put(struct chunk_writer *writer, struct chunk *chunk,
                     struct error *err);

/* Makes length bytes at offset zero. */
int chunk_writer_put_zero(struct chunk_writer *writer, uint64_t offset,
                          uint64_t length, struct error *err);

/* Completes io, a reaped write of the writer. */
int chunk_writer_written(struct chunk_writer *writer, struct io *io,
                         struct error *err);

/* Lowest index of the chunks that are being written; UINT64_MAX: none is. */
uint64_t chunk_writer_oldest(const struct chunk_writer *writer);

/* After io_context_close(), as writes may be in flight.  Tolerates a zeroed
 * writer. */
void chunk_writer_close(struct chunk_writer *writer);

#endif
