/*
 * chunk_reader.h - reads a disk chunk by chunk, with several chunks in flight,
 * and hands each to its user.  All readers of images are built on it.
 *
 *   work_queue_take -> image_map -> ops.plan -> image_read ... io_queue_reap -> ops.take
 *
 * One thread uses a reader.  Completions appear only in chunk_reader_run().
 */
#ifndef CW_TRANSFER_CHUNK_READER_H
#define CW_TRANSFER_CHUNK_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "image/image.h"
#include "job/job.h"
#include "plan/work_queue.h"
#include "transfer/chunk.h"
#include "transfer/io_context.h"

/* What a lane does with its chunks.  Each function returns -1 with *err. */
struct chunk_reader_ops {
    /* Before the reads start.  1: done with the chunk, do not read it; 0: read
     * it.  NULL: reads every chunk, which takes no time for a hole. */
    int (*plan)(void *opaque, struct chunk *chunk, struct error *err);
    /* The chunk is read.  May take chunk->buf over (TAKE_PTR); otherwise the
     * reader returns it to the pool. */
    int (*take)(void *opaque, struct chunk *chunk, struct error *err);
    /* NULL, or: the lane is about to wait for its disk. */
    int (*idle)(void *opaque, struct error *err);
};

struct chunk_writer;

/* Starts zeroed; the lane sets the first group, all of it borrowed. */
struct chunk_reader {
    const struct chunk_reader_ops *ops;
    void *opaque;            /* for ops */
    struct cw_job *job;      /* NULL: waits without a watchdog */
    const atomic_bool *stop; /* NULL, or: when set, ends with ERROR_CANCELLED */
    struct work_queue *work; /* which chunks; lanes share it */
    uint64_t virtual_bytes;  /* of the disk */
    bool in_order;           /* takes chunks in disk order */
    struct chunk_writer *writer; /* NULL, or: writes by the same I/O queue */

    struct io_context io;
    struct image *image;
    const char *path;              /* of the image */
    struct work_queue_range range; /* taken, not yet planned */
    struct extent_list extents;    /* of the range as it was taken */
    size_t extent; /* first that may reach into the next chunk */
    struct chunk chunks[JOB_BUFFERS_PER_LANE];
};

/*
 * Opens the image with an I/O queue and buffers (at most JOB_BUFFERS_PER_LANE)
 * of its own.  image->path stays valid for the life of the job.  After -1, call
 * chunk_reader_close().
 */
int chunk_reader_open(struct chunk_reader *reader,
                      const struct image_options *image,
                      enum cw_io_engine engine, unsigned buffers,
                      struct error *err);

/*
 * Passes all chunks of the work queue to ops, blocks until the last one is
 * taken and every buffer has come back, and checks the image's checksums.
 * Errors as of image_map(), image_read(), image_finish() and ops.
 */
int chunk_reader_run(struct chunk_reader *reader, struct error *err);

/* Waits for I/O in flight, then frees everything. */
void chunk_reader_close(struct chunk_reader *reader);

/* How many chunks of image belong together, for work_queue_init(): those of a
 * container block that is decoded from its beginning; 1: none do. */
uint64_t chunk_reader_step(const struct image *image);

#endif
