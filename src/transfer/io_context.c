#include "transfer/io_context.h"

#include <errno.h>

#include "plan/chunk_grid.h"

#define QUEUE_DEPTH 64U

int io_context_open(struct io_context *context, enum cw_io_engine engine,
                    unsigned block_count, struct error *err)
{
    size_t region_len;
    void *region;

    context->block_count = block_count;
    context->pool = buffer_pool_open(block_count, CHUNK_BYTES);
    if (!context->pool)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "make buffers");
    region = buffer_pool_region(context->pool, &region_len);
    return io_queue_open(engine, QUEUE_DEPTH, region, region_len,
                         &context->queue, err);
}

void io_context_close(struct io_context *context)
{
    io_queue_close(context->queue); /* first: it waits for what is in flight */
    buffer_pool_close(context->pool);
}
