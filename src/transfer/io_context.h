/* io_context.h - a lane's I/O queue, and the buffers registered with it. */
#ifndef CW_TRANSFER_IO_CONTEXT_H
#define CW_TRANSFER_IO_CONTEXT_H

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/buffer_pool.h"
#include "io/io_queue.h"

/* Starts zeroed; the thread that uses it opens and closes it. */
struct io_context {
    unsigned block_count; /* buffers of a chunk each */
    struct buffer_pool *pool;
    struct io_queue *queue;
};

int io_context_open(struct io_context *context, enum cw_io_engine engine,
                    unsigned block_count, struct error *err);

/*
 * Waits for I/O in flight and frees all buffers, including leased ones.  Close
 * the files that the I/O refers to after this.  Tolerates a half-open
 * context.
 */
void io_context_close(struct io_context *context);

#endif
