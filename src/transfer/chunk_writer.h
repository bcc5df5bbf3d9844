/*
 * chunk_writer.h - a chunk's way out of its buffer, into digest and sink: what a copy
 * within this machine and an upload have in common.
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

/* Data and zeros alternate, and each is a grain at least. */
#define CHUNK_WRITER_RUNS_MAX (CHUNK_BYTES / BLOCK_BYTES / 2 + 1)

/* Where a lane's chunks go; all borrowed. */
struct chunk_writer {
    struct cw_job *job; /* its digest and progress */
    struct sink *sink;
    struct sink_lane *lane;
};

/* Of one chunk, while it is written. */
struct chunk_writer_runs {
    unsigned blank; /* leaves (zero_mask.h) not in the buffer: by the caller */
    uint64_t data_bytes; /* of it, not zero */
    unsigned writing;    /* writes in flight */
    unsigned count;
    struct io
        runs[CHUNK_WRITER_RUNS_MAX]; /* pieces to write; owner: the runs */
};

/*
 * Digests chunk index, whose len bytes at buf stay until all is written, and
 * starts writing what is not zero.  Zeros that are too short for the sink
 * are written with their neighbours.  1; 0: no write is needed; -1.
 */
int chunk_writer_chunk(struct chunk_writer *stow,
                       struct chunk_writer_runs *runs, uint64_t index,
                       uint8_t *buf, size_t len, struct error *err);

/* Takes io, a write that has been reaped; its owner are the runs.  1: it was
 * the last of its chunk; 0; -1: it failed. */
int chunk_writer_written(struct chunk_writer *stow, struct io *io,
                         struct error *err);

#endif
