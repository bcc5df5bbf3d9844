/*
 * chunk_writer.h - adds a chunk to the digest and writes it to the sink, for a
 * copy within this machine and for an upload.
 *
 *   chunk_writer_chunk -> sink_write / sink_zero ... io_queue_reap -> chunk_writer_written
 */
#ifndef CW_TRANSFER_CHUNK_WRITER_H
#define CW_TRANSFER_CHUNK_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "io/io_queue.h"
#include "job/job.h"
#include "plan/chunk_grid.h"
#include "sink/sink.h"

/* Data and zeros alternate; each run is at least one block (4 KiB). */
#define CHUNK_WRITER_RUNS_MAX (CHUNK_BYTES / BLOCK_BYTES / 2 + 1)

/* Where a lane's chunks go; all borrowed. */
struct chunk_writer {
    struct cw_job *job; /* its digest and progress */
    struct sink *sink;
    struct sink_lane *lane;
};

/* The state of one chunk while it is written. */
struct chunk_writer_runs {
    unsigned
        blank; /* leaves (zero_mask.h) not in the buffer; set by the caller */
    uint64_t data_bytes; /* bytes of the chunk that are not zero */
    unsigned writing;    /* writes in flight */
    unsigned count;
    struct io runs
        [CHUNK_WRITER_RUNS_MAX]; /* runs to write; their owner is this struct */
};

/*
 * Digests chunk index and starts writing its data; its len bytes at buf must
 * stay until all is written.  Zero runs too short for the sink are written
 * with their neighbours.  1; 0: no write is needed; -1.
 */
int chunk_writer_chunk(struct chunk_writer *stow,
                       struct chunk_writer_runs *runs, uint64_t index,
                       uint8_t *buf, size_t len, struct error *err);

/* Completes io, a reaped write whose owner is the runs.  1: it was the last
 * write of its chunk; 0: it was not; -1: it failed. */
int chunk_writer_written(struct chunk_writer *stow, struct io *io,
                         struct error *err);

#endif
