/* io_context.h - a lane's I/O queue, and the buffers registered with it. */
#ifndef CW_TRANSFER_IO_CONTEXT_H
#define CW_TRANSFER_IO_CONTEXT_H

#include "base/error.h"
#include "io/buffer_pool.h"
#include "io/io_queue.h"

/* Zeroed, then opened and closed by the thread that works with them. */
struct io_context {
    unsigned block_count; /* buffers of a chunk each */
    struct buffer_pool *pool;
    struct io_queue *queue;
};

int io_context_open(struct io_context *context, enum io_engine engine,
                    unsigned block_count, struct error *err);

/*
 * Afterwards nothing is in flight and the buffers are gone, also those still
 * leased: what reads or writes refer to is closed after this.  Tolerates
 * half-open ones.
 */
void io_context_close(struct io_context *context);

#endif
